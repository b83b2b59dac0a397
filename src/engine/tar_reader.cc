#include "engine/tar_reader.h"

#include <algorithm>
#include <charconv>

namespace berth::engine {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMostExtra = 64u << 10;
constexpr std::uint64_t kMostSize = std::uint64_t{1} << 56;

// POSIX.1-1988 ustar: type of what stands in a block.
constexpr char kPax = 'x', kPaxGlobal = 'g', kGnuName = 'L', kGnuLink = 'K';

std::string_view text_at(std::string_view block, std::size_t at, std::size_t size) {
  const std::string_view field = block.substr(at, size);
  return field.substr(0, std::min(field.find('\0'), field.size()));
}

/// Octal digits between blanks and NULs, or GNU's base 256 where the first bit is set.
std::uint64_t number_at(std::string_view block, std::size_t at, std::size_t size) {
  const std::string_view field = block.substr(at, size);
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    for (const char c : field.substr(size - 8)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  for (const char c : field) {
    if (c == ' ' && value == 0) continue;
    if (c < '0' || c > '7') break;
    value = value << 3 | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool fits_its_sum(std::string_view block) {
  constexpr std::size_t kSum = 148, kSumSize = 8;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i)
    sum += i >= kSum && i < kSum + kSumSize ? ' ' : static_cast<unsigned char>(block[i]);
  return number_at(block, kSum, kSumSize) == sum;
}

bool is_zero(std::string_view block) {
  return std::ranges::all_of(block, [](char c) { return c == '\0'; });
}

TarFound::Kind kind_of(char type, std::string_view name) {
  switch (type) {
    case '\0':
    case '0':
    case '7':
      return name.ends_with('/') ? TarFound::Kind::folder : TarFound::Kind::file;
    case '1':
      return TarFound::Kind::hardlink;
    case '2':
      return TarFound::Kind::symlink;
    case '5':
      return TarFound::Kind::folder;
    default:
      return TarFound::Kind::other;
  }
}

std::string name_of(std::string_view block) {
  const std::string_view name = text_at(block, 0, 100);
  // GNU's own form has times where ustar has a prefix.
  const std::string_view prefix =
      block.substr(257, 6) == std::string_view("ustar\0", 6) ? text_at(block, 345, 155) : "";
  return prefix.empty() ? std::string(name) : std::string(prefix) + "/" + std::string(name);
}

std::string without_nul(std::string_view text) {
  return std::string(text.substr(0, std::min(text.find('\0'), text.size())));
}

/// As much of `bytes` as is `left`, taken off both.
std::string_view cut(std::string_view& bytes, std::uint64_t& left) {
  const std::string_view out = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
  bytes.remove_prefix(out.size());
  left -= out.size();
  return out;
}

}  // namespace

bool TarReader::gather(std::string_view& bytes, std::uint64_t size) {
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(size - kept_.size(), bytes.size()));
  kept_.append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  return kept_.size() == size;
}

void TarReader::begin_body(std::uint64_t size, Reading what) {
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
  reading_ = size > 0 ? what : Reading::header;
}

Result<TarReader::Step> TarReader::next(std::string_view& bytes) {
  while (!bytes.empty() && reading_ != Reading::over) {
    const Step step = TRY(take(bytes));
    if (step != Step::more) return step;
  }
  return reading_ == Reading::over ? Step::end : Step::more;
}

Result<TarReader::Step> TarReader::take(std::string_view& bytes) {
  switch (reading_) {
    case Reading::header: {
      if (!gather(bytes, kBlock)) return Step::more;
      auto step = take_header();
      kept_.clear();
      return step;
    }
    case Reading::extra:
      if (!gather(bytes, left_)) return Step::more;
      TRY(take_extra());
      kept_.clear();
      end_body();
      return Step::more;
    case Reading::file:
      content_ = cut(bytes, left_);
      if (left_ == 0) end_body();
      return Step::content;
    case Reading::padding:
      cut(bytes, padding_);
      if (padding_ == 0) reading_ = Reading::header;
      return Step::more;
    case Reading::over:
      break;
  }
  return Step::end;
}

void TarReader::end_body() {
  reading_ = padding_ > 0 ? Reading::padding : Reading::header;
}

Result<TarReader::Step> TarReader::take_header() {
  if (is_zero(kept_)) {
    if (++zeros_ == 2) reading_ = Reading::over;
    return zeros_ == 2 ? Step::end : Step::more;
  }
  zeros_ = 0;
  if (!fits_its_sum(kept_)) return fail(Code::invalid, "the archive is damaged: a header does not fit its sum");
  const char type = kept_[156];
  const std::uint64_t size = number_at(kept_, 124, 12);
  if (type == kPax || type == kPaxGlobal || type == kGnuName || type == kGnuLink) {
    if (size > kMostExtra) return fail(Code::invalid, "the archive has a name of more than 64 KiB");
    extra_ = type;
    begin_body(size, Reading::extra);
    return Step::more;
  }
  entry_ = std::exchange(next_, {});
  if (entry_.path.empty()) entry_.path = name_of(kept_);
  if (entry_.link.empty()) entry_.link = text_at(kept_, 157, 100);
  entry_.kind = kind_of(type, entry_.path);
  entry_.mode = static_cast<unsigned>(number_at(kept_, 100, 8)) & 07777;
  if (!std::exchange(has_mtime_, false)) entry_.mtime = static_cast<std::int64_t>(number_at(kept_, 136, 12));
  if (!std::exchange(has_size_, false)) entry_.size = size;
  if (entry_.size > kMostSize) return fail(Code::invalid, "the archive is damaged: a file is too large to be one");
  // Links and folders have no content, whatever their size says.
  if (entry_.kind != TarFound::Kind::file && entry_.kind != TarFound::Kind::other) entry_.size = 0;
  begin_body(entry_.size, Reading::file);
  return Step::entry;
}

Result<void> TarReader::take_extra() {
  if (extra_ == kGnuName) next_.path = without_nul(kept_);
  if (extra_ == kGnuLink) next_.link = without_nul(kept_);
  return extra_ == kPax ? take_records(kept_) : Result<void>{};
}

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
Result<void> TarReader::take_records(std::string_view records) {
  while (!records.empty()) {
    std::size_t length = 0;
    const auto parsed = std::from_chars(records.data(), records.data() + records.size(), length);
    const std::size_t digits = static_cast<std::size_t>(parsed.ptr - records.data());
    if (parsed.ec != std::errc() || length > records.size() || length < digits + 3 || records[digits] != ' ' ||
        records[length - 1] != '\n')
      return fail(Code::invalid, "the archive is damaged: an extended header is malformed");
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    records.remove_prefix(length);
    const std::size_t equal = record.find('=');
    if (equal == std::string_view::npos) return fail(Code::invalid, "the archive is damaged: a record has no value");
    const std::string_view key = record.substr(0, equal), value = record.substr(equal + 1);
    if (key == "path") next_.path = without_nul(value);
    if (key == "linkpath") next_.link = without_nul(value);
    if (key == "size")
      has_size_ = std::from_chars(value.data(), value.data() + value.size(), next_.size).ec == std::errc();
    if (key == "mtime")
      has_mtime_ = std::from_chars(value.data(), value.data() + value.size(), next_.mtime).ec == std::errc();
  }
  return {};
}

}  // namespace berth::engine
