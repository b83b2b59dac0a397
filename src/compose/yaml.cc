#include "compose/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace berth::compose {
namespace {

constexpr std::size_t kShownColumns = 160;

std::string_view line_of(std::string_view text, std::uint32_t line) {
  for (std::uint32_t at = 1; at < line; ++at) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// The next character of `line`; U+FFFD for what a terminal should not get.
std::string_view take_visible(std::string_view& line) {
  const std::size_t length = utf8_length(line);
  const std::string_view c = line.substr(0, std::max<std::size_t>(length, 1));
  line.remove_prefix(c.size());
  return length > 0 && is_printable(c) ? c : "\xEF\xBF\xBD";
}

// The line and below it a caret; tabs stay tabs so that the caret stands right. `column` counts characters from 1.
std::string with_caret(std::string_view line, std::size_t column) {
  std::string shown;
  std::string below;
  for (std::size_t i = 1; !line.empty() && i <= kShownColumns; ++i) {
    const std::string_view c = take_visible(line);
    shown += c;
    if (i < column) below += c == "\t" ? '\t' : ' ';
  }
  if (shown.empty() || !line.empty() || column > below.size() + 1) return shown;
  return fmt::format("{}\n{}^", shown, below);
}

constexpr std::array<std::string_view, 5> kNulls = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 3> kTrue = {"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> kFalse = {"false", "False", "FALSE"};

bool among(std::string_view text, const auto& words) {
  return std::ranges::find(words, text) != words.end();
}

bool digits_of(std::string_view text, int base, bool negative, std::int64_t& value) {
  std::uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return false;
  if (magnitude > kMost + (negative ? 1 : 0)) return false;
  value = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

// Decimal, 0x, 0b, 0o, and the leading zero of YAML 1.1 as octal; `_` between digits was removed before.
bool parse_integer(std::string_view text, std::int64_t& value) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    if (mark == 'x') return digits_of(text.substr(2), 16, negative, value);
    if (mark == 'b') return digits_of(text.substr(2), 2, negative, value);
    if (mark == 'o') return digits_of(text.substr(2), 8, negative, value);
    return digits_of(text.substr(1), 8, negative, value);
  }
  return digits_of(text, 10, negative, value);
}

// [-+]? digits [. digits] [e [-+] digits], or . digits ...
bool looks_real(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - from;
  };
  const std::size_t whole = digits();
  std::size_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

bool named_real(std::string_view text, double& value) {
  const bool negative = text.starts_with('-');
  std::string_view word = text;
  if (negative || text.starts_with('+')) word.remove_prefix(1);
  if (word == ".inf" || word == ".Inf" || word == ".INF") {
    value = negative ? -HUGE_VAL : HUGE_VAL;
    return true;
  }
  value = std::nan("");
  return text == ".nan" || text == ".NaN" || text == ".NAN";
}

}  // namespace

std::uint16_t Sources::add(std::string shown, std::string text) {
  files_.push_back({std::move(shown), std::move(text)});
  return static_cast<std::uint16_t>(files_.size() - 1);
}

Error Sources::error(Mark mark, std::string message) const {
  if (mark.file == 0) return {Code::invalid, std::move(message)};
  if (mark.line == 0) return {Code::invalid, fmt::format("{}: {}", shown(mark.file), message)};
  return {Code::invalid, fmt::format("{}:{}:{}: {}", shown(mark.file), mark.line, mark.column, message),
          with_caret(line_of(text(mark.file), mark.line), std::max<std::size_t>(mark.column, 1))};
}

bool Budget::take(std::size_t count, std::size_t text) {
  if (count > nodes || text > bytes) return false;
  nodes -= count;
  bytes -= text;
  return true;
}

Node Node::null_at(Mark mark) {
  Node node;
  node.mark = mark;
  return node;
}

Node Node::text_at(std::string text, Mark mark) {
  Node node = null_at(mark);
  node.kind = Kind::text;
  node.text = std::move(text);
  return node;
}

Node Node::integer_at(std::int64_t value, Mark mark) {
  Node node = null_at(mark);
  node.kind = Kind::integer;
  node.integer = value;
  return node;
}

Node Node::boolean_at(bool value, Mark mark) {
  Node node = null_at(mark);
  node.kind = Kind::boolean;
  node.boolean = value;
  return node;
}

Node Node::list_at(Mark mark) {
  Node node = null_at(mark);
  node.kind = Kind::list;
  return node;
}

Node Node::map_at(Mark mark) {
  Node node = null_at(mark);
  node.kind = Kind::map;
  return node;
}

const Node* Node::find(std::string_view name) const {
  const auto at = std::ranges::find(items, name, &Node::key);
  return at == items.end() ? nullptr : &*at;
}

Node* Node::find(std::string_view name) {
  return const_cast<Node*>(std::as_const(*this).find(name));
}

std::string_view Node::text_of(std::string_view name) const {
  const Node* member = is_map() ? find(name) : nullptr;
  return member != nullptr && member->is_text() ? std::string_view(member->text) : std::string_view();
}

Node& Node::set(std::string_view name, Node value) {
  if (Node* old = find(name)) {
    old->become(std::move(value));
    return *old;
  }
  value.key = name;
  if (value.key_mark.line == 0) value.key_mark = value.mark;
  return items.emplace_back(std::move(value));
}

void Node::erase(std::string_view name) {
  std::erase_if(items, [&](const Node& item) { return item.key == name; });
}

void Node::become(Node value) {
  value.key = std::move(key);
  value.key_mark = key_mark;
  *this = std::move(value);
}

Node Node::take() {
  Node value = std::move(*this);
  *this = null_at(value.mark);
  key = std::move(value.key);
  key_mark = value.key_mark;
  value.key.clear();
  return value;
}

std::string Node::scalar_text() const {
  switch (kind) {
    case Kind::boolean:
      return boolean ? "true" : "false";
    case Kind::integer:
      return std::to_string(integer);
    case Kind::real:
      return real_text(real);
    case Kind::text:
      return text;
    default:
      return "";
  }
}

std::string_view Node::kind_name() const {
  constexpr std::array<std::string_view, 7> kNames = {"nothing", "a boolean", "an integer", "a number",
                                                      "a text",  "a list",    "a mapping"};
  return kNames[static_cast<std::size_t>(kind)];
}

void resolve_plain(Node& node) {
  node.kind = Kind::text;
  const std::string_view text = node.text;
  if (among(text, kNulls)) {
    node.kind = Kind::null;
  } else if (among(text, kTrue) || among(text, kFalse)) {
    node.kind = Kind::boolean;
    node.boolean = among(text, kTrue);
  } else if (text[0] == '.' || text[0] == '+' || text[0] == '-' || (text[0] >= '0' && text[0] <= '9')) {
    std::string plain(text);
    std::erase(plain, '_');
    if (named_real(text, node.real) || (text == "-0" && (node.real = -0.0, true)))
      node.kind = Kind::real;
    else if (parse_integer(plain, node.integer))
      node.kind = Kind::integer;
    else if (looks_real(plain) && parse_real(plain, node.real))
      node.kind = Kind::real;
  }
  if (node.kind != Kind::text) node.text.clear();
}

bool parse_real(std::string_view text, double& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::string real_text(double value) {
  const double magnitude = std::fabs(value);
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21);
  std::array<char, 400> buffer;
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
  return {buffer.data(), end};
}

std::size_t count_nodes(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += count_nodes(item);
  return count;
}

Json to_json(const Node& node) {
  switch (node.kind) {
    case Kind::null:
      return {};
    case Kind::boolean:
      return node.boolean;
    case Kind::integer:
      return node.integer;
    case Kind::real:
      return node.real;
    case Kind::text:
      return node.text;
    case Kind::list: {
      Json::Array list;
      list.reserve(node.items.size());
      for (const Node& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case Kind::map:
      break;
  }
  Json map = Json::object();
  for (const Node& item : node.items) map.members_mut().emplace_back(item.key, to_json(item));
  return map;
}

}  // namespace berth::compose
