#include "edge/rule.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "edge/rule_parse.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMaxText = 4096, kMaxMatchers = 256;
constexpr int kMaxDepth = 64;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// UTF-8 of one code point.
void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  }
}

class Parser {
 public:
  Parser(std::string_view text, RuleKind kind) : text_(text), kind_(kind) { rule_.text = text; }

  Result<Rule> parse() {
    if (text_.size() > kMaxText) return error_at(0, "is longer than 4096 bytes");
    skip_space();
    if (at_end()) return error_at(0, "is empty: write a matcher such as " + example());
    rule_.root = TRY(parse_any(false, 0));
    if (!at_end()) {
      if (peek() == ')') return error_at(position_, "\")\" closes nothing");
      return error_at(position_, "expected && or || before " + quoted_rest());
    }
    return std::move(rule_);
  }

 private:
  std::string example() const { return kind_ == RuleKind::labels ? "Label(`name`, `value`)" : "Host(`example.com`)"; }
  bool at_end() const { return position_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  void skip_space() {
    while (!at_end() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++position_;
  }
  bool take(std::string_view token) {
    if (!text_.substr(position_).starts_with(token)) return false;
    position_ += token.size();
    skip_space();
    return true;
  }
  std::string quoted_rest() const {
    if (at_end()) return "the end";
    return "\"" + std::string(text_.substr(position_, 12)) + (text_.size() - position_ > 12 ? "...\"" : "\"");
  }

  std::unexpected<Error> error_at(std::size_t position, std::string message) const {
    const std::string_view before = text_.substr(0, position);
    const auto start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::string_view source = text_.substr(start, std::min(text_.find('\n', start), start + 200) - start);
    std::string where = (kind_ == RuleKind::labels ? "" : "rule:") + std::to_string(line) + ":" +
                        std::to_string(position - start + 1) + ": ";
    std::string caret(std::min<std::size_t>(position - start, 200), ' ');
    return fail(Code::invalid, where + std::move(message), std::string(source) + "\n" + caret + "^");
  }

  /// `negated` swaps the operators on the way down (De Morgan), so that only matchers are negated.
  Result<RuleNode> parse_any(bool negated, int depth) {
    return parse_list("||", negated ? RuleNode::Kind::all : RuleNode::Kind::any, negated, depth);
  }
  Result<RuleNode> parse_all(bool negated, int depth) {
    return parse_list("&&", negated ? RuleNode::Kind::any : RuleNode::Kind::all, negated, depth);
  }
  Result<RuleNode> parse_list(std::string_view token, RuleNode::Kind kind, bool negated, int depth) {
    RuleNode node{kind, 0, {}};
    do {
      node.children.push_back(token == "||" ? TRY(parse_all(negated, depth)) : TRY(parse_unary(negated, depth)));
    } while (take(token));
    if (!at_end() && (peek() == '|' || peek() == '&') && text_.substr(position_, 2) != "||" &&
        text_.substr(position_, 2) != "&&") {
      return error_at(position_, "write && for \"and\", || for \"or\"");
    }
    if (node.children.size() == 1) return RuleNode(std::move(node.children.front()));
    return node;
  }

  Result<RuleNode> parse_unary(bool negated, int depth) {
    if (depth > kMaxDepth) return error_at(position_, "is nested deeper than 64 levels");
    if (take("!")) return parse_unary(!negated, depth + 1);
    const auto open = position_;
    if (take("(")) {
      RuleNode inner = TRY(parse_any(negated, depth + 1));
      if (!take(")"))
        return at_end() ? error_at(open, "this \"(\" is not closed")
                        : error_at(position_, "expected \")\", && or || before " + quoted_rest());
      return inner;
    }
    return parse_call(negated);
  }

  Result<RuleNode> parse_call(bool negated) {
    const auto start = position_;
    while (is_letter(peek())) ++position_;
    const std::string_view name = text_.substr(start, position_ - start);
    if (name.empty()) return error_at(start, "expected a matcher such as " + example() + " before " + quoted_rest());
    skip_space();
    if (!take("(")) return error_at(position_, "expected \"(\" after " + std::string(name));
    std::vector<std::string> arguments;
    if (peek() != ')') {
      do arguments.push_back(TRY(parse_string()));
      while (take(","));
    }
    if (!take(")")) return error_at(position_, "expected \",\" or \")\" before " + quoted_rest());
    auto call = make_call(kind_, name, arguments);
    if (!call) return error_at(start, std::move(call.error().message));
    return add_call(std::move(*call), negated, start);
  }

  Result<RuleNode> add_call(Call call, bool negated, std::size_t start) {
    std::ranges::move(call.warnings, std::back_inserter(rule_.warnings));
    RuleNode node{call.all != negated ? RuleNode::Kind::all : RuleNode::Kind::any, 0, {}};
    for (Matcher& matcher : call.matchers) {
      if (rule_.matchers.size() == kMaxMatchers) return error_at(start, "has more than 256 matchers");
      matcher.negated = negated;
      node.children.push_back({RuleNode::Kind::match, rule_.matchers.size(), {}});
      rule_.matchers.push_back(std::move(matcher));
    }
    if (node.children.size() == 1) return RuleNode(std::move(node.children.front()));
    return node;
  }

  Result<std::string> parse_string() {
    const auto start = position_;
    if (peek() == '\'') return error_at(start, "a text is written in `backticks` or \"double quotes\", not 'single'");
    if (peek() != '`' && peek() != '"')
      return error_at(start, "expected a text in `backticks` before " + quoted_rest());
    const char quote = text_[position_++];
    std::string out;
    while (!at_end() && peek() != quote) {
      if (quote == '"' && peek() == '\n') break;
      if (quote == '"' && peek() == '\\') {
        TRY(parse_escape(out));
      } else {
        out += text_[position_++];
      }
    }
    if (peek() != quote) return error_at(start, std::string("this ") + quote + " is not closed");
    ++position_;
    skip_space();
    return out;
  }

  /// Go's escapes of interpreted strings.
  Result<void> parse_escape(std::string& out) {
    static constexpr std::string_view kNames = "abfnrtv\\\"", kValues = "\a\b\f\n\r\t\v\\\"";
    const auto start = position_++;
    const char kind = peek();
    if (const auto at = kNames.find(kind); at != std::string_view::npos && kind != '\0') {
      ++position_;
      out += kValues[at];
      return {};
    }
    const bool octal = kind >= '0' && kind <= '7';
    const std::size_t digits = octal ? 3 : kind == 'x' ? 2 : kind == 'u' ? 4 : 0;
    if (!octal) ++position_;
    std::uint32_t value = 0;
    const std::string_view text = text_.substr(std::min(position_, text_.size()), digits);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, octal ? 8 : 16);
    if (digits == 0 || error != std::errc{} || end != text.data() + digits || (octal && value > 255)) {
      return error_at(start, "unknown escape; in `backticks` a backslash stands for itself");
    }
    position_ += digits;
    if (kind == 'u')
      append_utf8(out, value);
    else
      out += static_cast<char>(value);
    return {};
  }

  std::string_view text_;
  RuleKind kind_;
  std::size_t position_ = 0;
  Rule rule_;
};

}  // namespace

Result<Rule> parse_rule(std::string_view text, RuleKind kind) {
  return Parser(text, kind).parse();
}

}  // namespace berth::edge
