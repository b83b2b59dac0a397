#include "edge/cache_dictionary.h"

#include "http/text.h"

namespace berth::edge {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_alpha(char c) {
  return is_lower(http::lower_ascii(c));
}

constexpr std::size_t kMostDigits = 15;

}  // namespace

DictionaryReader::DictionaryReader(std::string_view text) : text_(text) {
  skip_spaces();
}

void DictionaryReader::skip_spaces() {
  while (text_.starts_with(' ')) text_.remove_prefix(1);
}

bool DictionaryReader::take(char c) {
  if (!text_.starts_with(c)) return false;
  text_.remove_prefix(1);
  return true;
}

std::optional<DictionaryMember> DictionaryReader::fail() {
  broken_ = true;
  text_ = {};
  return std::nullopt;
}

std::optional<DictionaryMember> DictionaryReader::next() {
  if (broken_ || text_.empty()) return std::nullopt;
  if (!first_) {
    text_ = http::trim_ows(text_);
    if (!take(',')) return fail();
    text_ = http::trim_ows(text_);
    if (text_.empty()) return fail();  // a comma at the end
  }
  first_ = false;
  DictionaryMember member;
  if (!take_key(member.key)) return fail();
  if (take('=')) {
    member.kind = DictionaryMember::Kind::other;
    if (!(text_.starts_with('(') ? take_inner_list() : take_item(member))) return fail();
  }
  if (!take_parameters()) return fail();
  if (http::trim_ows(text_).empty()) text_ = {};
  return member;
}

bool DictionaryReader::take_key(std::string_view& key) {
  std::size_t at = 0;
  while (at < text_.size()) {
    const char c = text_[at];
    const bool start = is_lower(c) || c == '*';
    if (!start && (at == 0 || !(is_digit(c) || c == '_' || c == '-' || c == '.'))) break;
    ++at;
  }
  key = text_.substr(0, at);
  text_.remove_prefix(at);
  return at > 0;
}

bool DictionaryReader::take_number(DictionaryMember& member) {
  const bool negative = take('-');
  std::size_t whole = 0, part = 0;
  while (whole < text_.size() && is_digit(text_[whole])) ++whole;
  const std::string_view digits = text_.substr(0, whole);
  text_.remove_prefix(whole);
  const bool decimal = take('.');
  if (decimal) {
    while (part < text_.size() && is_digit(text_[part])) ++part;
    text_.remove_prefix(part);
  }
  if (whole == 0 || whole > (decimal ? 12 : kMostDigits) || (decimal && (part == 0 || part > 3))) return false;
  if (!negative && !decimal) {
    member.kind = DictionaryMember::Kind::integer;
    member.value = digits;
  }
  return true;
}

bool DictionaryReader::take_string(std::string_view& inside) {
  for (std::size_t at = 1; at < text_.size(); ++at) {
    const char c = text_[at];
    if (c < 0x20 || c >= 0x7f) return false;
    if (c == '\\') {
      ++at;
      if (at == text_.size() || (text_[at] != '"' && text_[at] != '\\')) return false;
    } else if (c == '"') {
      inside = text_.substr(1, at - 1);
      text_.remove_prefix(at + 1);
      return true;
    }
  }
  return false;
}

bool DictionaryReader::take_bytes() {
  const std::size_t end = text_.find(':', 1);
  if (end == std::string_view::npos) return false;
  for (const char c : text_.substr(1, end - 1)) {
    if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '/' && c != '=') return false;
  }
  text_.remove_prefix(end + 1);
  return true;
}

bool DictionaryReader::take_item(DictionaryMember& member) {
  if (text_.empty()) return false;
  const char c = text_.front();
  if (is_digit(c) || c == '-') return take_number(member);
  if (c == '"') {
    member.kind = DictionaryMember::Kind::text;
    return take_string(member.value);
  }
  if (c == ':') return take_bytes();
  if (c == '?') {
    text_.remove_prefix(1);
    member.kind = text_.starts_with('1') ? DictionaryMember::Kind::yes : DictionaryMember::Kind::no;
    return take('1') || take('0');
  }
  if (!is_alpha(c) && c != '*') return false;
  std::size_t at = 0;
  while (at < text_.size() && (http::in_class(text_[at], http::kTchar) || text_[at] == ':' || text_[at] == '/')) ++at;
  text_.remove_prefix(at);
  return true;
}

bool DictionaryReader::take_inner_list() {
  text_.remove_prefix(1);
  while (!text_.empty()) {
    skip_spaces();
    if (take(')')) return true;
    DictionaryMember ignored;
    if (!take_item(ignored) || !take_parameters()) return false;
    if (!text_.starts_with(' ') && !text_.starts_with(')')) return false;
  }
  return false;
}

bool DictionaryReader::take_parameters() {
  while (take(';')) {
    skip_spaces();
    std::string_view key;
    DictionaryMember ignored;
    if (!take_key(key)) return false;
    if (take('=') && !take_item(ignored)) return false;
  }
  return true;
}

}  // namespace berth::edge
