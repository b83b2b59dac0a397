// Byte classes of HTTP/1.1 and small scans that the codecs share. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace berth::http {

enum ByteClass : std::uint8_t {
  kTchar = 1,      ///< RFC 9110 5.6.2
  kFieldByte = 2,  ///< RFC 9110 5.5: tab, space, visible ASCII, obs-text
  kPathByte = 4,   ///< visible ASCII without '#', '"', '<', '>', '\\', '?'
  kQueryByte = 8,  ///< what browsers leave as it is in a query: visible ASCII without '#', '"', '<', '>'
  kHostByte = 16,  ///< a registered name, of the letters, digits and "-._~%" of RFC 3986
  kHexByte = 32,
  kUnreserved = 64,  ///< RFC 3986 2.3
};

constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&](std::string_view bytes, ByteClass bit) {
    for (const char c : bytes) table[static_cast<unsigned char>(c)] |= bit;
  };
  for (int c = 0; c < 256; ++c) {
    const bool visible = c > 0x20 && c < 0x7F;
    if (visible || c == ' ' || c == '\t' || c >= 0x80) table[c] |= kFieldByte;
    if (visible && c != '#' && c != '"' && c != '<' && c != '>') {
      table[c] |= kQueryByte;
      if (c != '\\' && c != '?') table[c] |= kPathByte;
    }
  }
  constexpr std::string_view alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (const ByteClass bit : {kTchar, kHostByte, kUnreserved}) mark(alnum, bit);
  mark("!#$%&'*+-.^_`|~", kTchar);
  mark("-._~%", kHostByte);
  mark("-._~", kUnreserved);
  mark("0123456789abcdefABCDEF", kHexByte);
  return table;
}
inline constexpr std::array<std::uint8_t, 256> kByteClasses = make_byte_classes();

inline bool in_class(char c, ByteClass bit) {
  return (kByteClasses[static_cast<unsigned char>(c)] & bit) != 0;
}

/// Whether every byte is in the class; one pass without a branch per byte.
inline bool all_in_class(std::string_view text, ByteClass bit) {
  unsigned missing = 0;
  for (const char c : text) missing |= static_cast<unsigned>(~kByteClasses[static_cast<unsigned char>(c)]) & bit;
  return missing == 0;
}

/// all_in_class(text, kFieldByte), eight bytes at a time.
inline bool all_field_bytes(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  std::size_t at = 0;
  std::uint64_t odd = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t del = word ^ (kOnes * 0x7F);
    odd |= ((word - kOnes * 0x20) & ~word & kHigh) | ((del - kOnes) & ~del & kHigh);
  }
  // A tab is a control byte that is allowed: then, as for the rest, byte by byte.
  return all_in_class(odd != 0 ? text : text.substr(at), kFieldByte);
}

inline char lower_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
inline int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower_ascii(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
/// RFC 9110 5.6.3 optional white space at both ends.
inline std::string_view trim_ows(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}
/// Takes the next item of a comma-separated list off the front of `list`; may be empty.
inline std::string_view next_item(std::string_view& list) {
  const std::size_t comma = list.find(',');
  const std::string_view item = trim_ows(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return item;
}

}  // namespace berth::http
