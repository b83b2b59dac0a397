// A structured dictionary (RFC 9651, formerly 8941) read member by member: the form of CDN-Cache-Control. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace berth::edge {

struct DictionaryMember {
  enum class Kind { yes, no, integer, text, other };
  std::string_view key{};
  Kind kind = Kind::yes;     ///< `yes` also for a key without a value
  std::string_view value{};  ///< digits of an integer that is not negative, the inside of a string
};

/// Strict: one byte out of place makes the whole field invalid, which broken() says once next() gives nothing.
class DictionaryReader {
 public:
  explicit DictionaryReader(std::string_view text);
  std::optional<DictionaryMember> next();
  bool broken() const { return broken_; }

 private:
  std::optional<DictionaryMember> fail();
  bool take_key(std::string_view& key);
  bool take_item(DictionaryMember& member);
  bool take_number(DictionaryMember& member);
  bool take_string(std::string_view& inside);
  bool take_bytes();
  bool take_inner_list();
  bool take_parameters();
  bool take(char c);
  void skip_spaces();

  std::string_view text_;
  bool first_ = true, broken_ = false;
};

}  // namespace berth::edge
