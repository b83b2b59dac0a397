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

namespace detail {

/// Calls `each` with the words that cover both texts (of one size), the last one overlapping the one before it; false
/// as soon as one is. Fewer than four bytes go one by one.
template <class Word, class Each>
bool each_word(const char* a, const char* b, std::size_t size, Each each) {
  std::size_t at = 0;
  Word x, y;
  for (; at + sizeof(Word) < size; at += sizeof(Word)) {
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    if (!each(x, y)) return false;
  }
  std::memcpy(&x, a + size - sizeof(Word), sizeof x);
  std::memcpy(&y, b + size - sizeof(Word), sizeof y);
  return each(x, y);
}

template <class Word>
constexpr Word kOnes = static_cast<Word>(0x0101010101010101);

/// 0x80 in each byte that is an ASCII letter.
template <class Word>
Word letters(Word word) {
  const Word small = (word & kOnes<Word> * 0x7F) | kOnes<Word> * 0x20;
  const Word from_a = small + kOnes<Word> * (0x80 - 'a'), past_z = small + kOnes<Word> * (0x7F - 'z');
  return from_a & ~past_z & ~word & kOnes<Word> * 0x80;
}

template <class Word>
bool same_but_for_case(Word a, Word b) {
  const Word differs = a ^ b;
  return differs == 0 || ((differs & ~(letters(a) >> 2)) == 0);
}

/// Whether a byte may be a control byte; a tab, which is allowed, counts as one.
template <class Word>
bool may_have_control(Word word) {
  const Word del = word ^ (kOnes<Word> * 0x7F), high = kOnes<Word> * 0x80;
  return (((word - kOnes<Word> * 0x20) & ~word & high) | ((del - kOnes<Word>)&~del & high)) != 0;
}

}  // namespace detail

/// all_in_class(text, kFieldByte), a word at a time.
inline bool all_field_bytes(std::string_view text) {
  const auto fine = [](auto word, auto) { return !detail::may_have_control(word); };
  const char* bytes = text.data();
  if (text.size() >= 8 && detail::each_word<std::uint64_t>(bytes, bytes, text.size(), fine)) return true;
  return all_in_class(text, kFieldByte);
}

inline char lower_ascii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
inline int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower_ascii(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
/// Whether two texts of one size are the same but for the case of ASCII letters.
inline bool same_letters(std::string_view a, std::string_view b) {
  const auto same = [](auto x, auto y) { return detail::same_but_for_case(x, y); };
  if (a.size() >= 8) return detail::each_word<std::uint64_t>(a.data(), b.data(), a.size(), same);
  if (a.size() >= 4) return detail::each_word<std::uint32_t>(a.data(), b.data(), a.size(), same);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower_ascii(a[i]) != lower_ascii(b[i])) return false;
  return true;
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
