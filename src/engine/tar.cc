#include "engine/tar.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace berth::engine {
namespace {

constexpr std::size_t kBlock = 512;
using Block = std::array<char, kBlock>;

// POSIX.1-1988 ustar: offset and size of each field.
struct Span {
  std::size_t at, size;
};
constexpr Span kName{0, 100}, kMode{100, 8}, kUser{108, 8}, kGroup{116, 8}, kSize{124, 12}, kTime{136, 12},
    kSum{148, 8}, kLink{157, 100}, kMagic{257, 8}, kPrefix{345, 155};
constexpr std::size_t kType = 156;
constexpr std::uint64_t kMostOctal11 = (std::uint64_t{1} << 33) - 1;

void put_text(Block& block, Span span, std::string_view text) {
  std::memcpy(block.data() + span.at, text.data(), std::min(span.size, text.size()));
}

void put_octal(Block& block, Span span, std::uint64_t value) {
  for (std::size_t i = span.size - 1; i > 0; --i) {
    block[span.at + i - 1] = static_cast<char>('0' + (value & 7));
    value >>= 3;
  }
}

void finish(Block& block) {
  std::fill_n(block.begin() + kSum.at, kSum.size, ' ');
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_octal(block, {kSum.at, kSum.size - 1}, sum);
  block[kSum.at + 6] = '\0';
}

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

char type_of(TarEntry::Kind kind) {
  switch (kind) {
    case TarEntry::Kind::file:
      return '0';
    case TarEntry::Kind::folder:
      return '5';
    case TarEntry::Kind::symlink:
      return '2';
    case TarEntry::Kind::fifo:
      return '6';
  }
  return '0';
}

// Where a path splits into prefix and name; 0 when it fits the name alone; npos when it fits neither.
std::size_t split_of(std::string_view path) {
  if (path.size() <= kName.size) return 0;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    const std::size_t rest = path.size() - slash - 1;
    if (slash > 0 && slash <= kPrefix.size && rest <= kName.size && rest > 0) return slash;
  }
  return std::string_view::npos;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void put_block(std::string& out, const TarEntry& entry, std::string_view path, char type) {
  Block block{};
  const std::size_t cut = split_of(path);
  if (cut == 0 || cut == std::string_view::npos) {
    put_text(block, kName, path);
  } else {
    put_text(block, kPrefix, path.substr(0, cut));
    put_text(block, kName, path.substr(cut + 1));
  }
  put_octal(block, kMode, entry.mode & 07777);
  put_octal(block, kUser, entry.user & 07777777);
  put_octal(block, kGroup, entry.group & 07777777);
  put_octal(block, kSize, std::min(entry.size, kMostOctal11));
  put_octal(block, kTime, static_cast<std::uint64_t>(std::clamp<std::int64_t>(entry.mtime, 0, kMostOctal11)));
  block[kType] = type;
  put_text(block, kLink, entry.link);
  put_text(block, kMagic, std::string_view("ustar\00000", 8));
  finish(block);
  out.append(block.data(), block.size());
}

std::string pax_records(const TarEntry& entry, std::string_view path) {
  std::string records;
  if (split_of(path) == std::string_view::npos || !is_ascii(path)) records += pax_record("path", path);
  if (entry.link.size() > kLink.size || !is_ascii(entry.link)) records += pax_record("linkpath", entry.link);
  if (entry.size > kMostOctal11) records += pax_record("size", std::to_string(entry.size));
  if (entry.mtime < 0) records += pax_record("mtime", std::to_string(entry.mtime));
  return records;
}

}  // namespace

void append_tar_header(std::string& out, const TarEntry& given) {
  TarEntry entry = given;
  if (entry.kind != TarEntry::Kind::file) entry.size = 0;
  if (entry.kind == TarEntry::Kind::folder && !entry.path.ends_with('/')) entry.path += '/';
  const std::string records = pax_records(entry, entry.path);
  if (!records.empty()) {
    put_block(out, {.size = records.size()}, "PaxHeaders/entry", 'x');
    out.append(records);
    append_tar_padding(out, records.size());
  }
  put_block(out, entry, entry.path, type_of(entry.kind));
}

void append_tar_padding(std::string& out, std::uint64_t size) {
  out.append(static_cast<std::size_t>((kBlock - size % kBlock) % kBlock), '\0');
}

void append_tar_end(std::string& out) {
  out.append(2 * kBlock, '\0');
}

void append_tar_file(std::string& out, TarEntry entry, std::string_view content) {
  entry.kind = TarEntry::Kind::file;
  entry.size = content.size();
  append_tar_header(out, entry);
  out.append(content);
  append_tar_padding(out, content.size());
}

}  // namespace berth::engine
