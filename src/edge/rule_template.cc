#include "edge/rule_template.h"

#include <algorithm>
#include <charconv>

namespace berth::edge {
namespace {

using Part = RuleTemplate::Part;
using Branch = RuleTemplate::Part::Branch;
using Value = RuleTemplate::Value;

constexpr std::size_t kMostText = 4096;
constexpr std::size_t kMostRule = 64u << 10;
constexpr int kMostDepth = 16;
constexpr std::string_view kForms = "; doc/providers.md lists what is";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
/// Bytes beyond ASCII count as letters.
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

void drop_spaces_at_end(std::string& text) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
}

Error error_at(std::string_view text, std::size_t position, std::string message) {
  const std::string_view before = text.substr(0, position);
  const auto start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const auto line = 1 + std::ranges::count(before, '\n');
  std::string where = std::to_string(line) + ":" + std::to_string(position - start + 1) + ": ";
  return {Code::invalid, where + std::move(message),
          std::string(text.substr(start, text.find('\n', start) - start)) + "\n" + std::string(position - start, ' ') +
              "^"};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Part>> parse() {
    if (text_.size() > kMostText) return wrong(0, "is longer than 4096 bytes");
    std::vector<Part> parts = TRY(parse_parts(0));
    if (closer_.empty()) return parts;
    return wrong(closer_at_, "\"" + std::string(closer_) + "\" without an \"if\"");
  }
  /// What kept parse() from its end was a word that is not known.
  bool met_unknown() const { return unknown_; }

 private:
  std::unexpected<Error> wrong(std::size_t position, std::string message) const {
    return std::unexpected(error_at(text_, position, std::move(message)));
  }
  std::unexpected<Error> unknown(std::size_t position, std::string message) {
    unknown_ = true;
    return wrong(position, std::move(message) + std::string(kForms));
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  bool is_at(std::string_view token) const { return text_.substr(at_).starts_with(token); }
  std::string_view word() {
    const auto begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  /// The word that follows, if it is one of those that close or continue an {{ if }}.
  std::string_view closer() {
    const auto begin = at_;
    skip_space();
    for (const std::string_view each : {"end", "else"}) {
      closer_at_ = at_;
      if (take(each) && (at_ == text_.size() || !is_word(text_[at_]))) return each;
      at_ = closer_at_;
    }
    at_ = begin;
    return {};
  }

  /// Up to the end, or to an {{ end }} or {{ else }}: then `closer_` is that word and we stand behind it.
  Result<std::vector<Part>> parse_parts(int depth) {
    std::vector<Part> parts;
    while (true) {
      const auto open = text_.find("{{", at_);
      const bool found = open != std::string_view::npos;
      std::string before(text_.substr(at_, found ? open - at_ : open));
      at_ = found ? open + 2 : text_.size();
      const bool trims = is_at("- ");
      if (trims) drop_spaces_at_end(before);
      if (!before.empty()) parts.push_back({.text = std::move(before)});
      closer_ = {};
      if (!found) return parts;
      if (trims) ++at_;
      closer_ = closer();
      if (!closer_.empty()) return parts;
      parts.push_back(TRY(parse_action(open, depth)));
    }
  }

  Result<Part> parse_action(std::size_t open, int depth) {
    skip_space();
    const auto begin = at_;
    if (word() == "if") return parse_if(open, depth);
    at_ = begin;
    Part part{.value = TRY(parse_pipe(depth))};
    TRY(close(open));
    return part;
  }

  Result<void> close(std::size_t open) {
    skip_space();
    const bool trims = is_at("-}}");
    if (!trims && !take("}}")) {
      if (at_ >= text_.size()) return wrong(open, "this \"{{\" is not closed");
      return wrong(at_, "is not expected here");
    }
    if (!trims) return {};
    at_ += 3;
    skip_space();
    return {};
  }

  Result<Part> parse_if(std::size_t open, int depth) {
    if (depth > kMostDepth) return wrong(open, "is nested deeper than 16 levels");
    Part part;
    part.branches.push_back({.when = TRY(parse_pipe(depth + 1))});
    TRY(close(open));
    while (true) {
      part.branches.back().parts = TRY(parse_parts(depth + 1));
      if (closer_.empty()) return wrong(open, "this \"if\" has no \"end\"");
      const auto begin = closer_at_;
      if (closer_ == "end") {
        TRY(close(begin));
        return part;
      }
      if (!part.branches.back().when) return wrong(begin, "a second \"else\"");
      part.branches.push_back({.when = TRY(parse_else_if(depth))});
      TRY(close(begin));
    }
  }

  /// What follows {{ else: nothing, or another condition.
  Result<std::optional<Value>> parse_else_if(int depth) {
    skip_space();
    const auto begin = at_;
    if (word() == "if") return TRY(parse_pipe(depth + 1));
    at_ = begin;
    return std::optional<Value>();
  }

  Result<Value> parse_pipe(int depth) {
    Value value = TRY(parse_command(depth));
    skip_space();
    while (take("|")) {
      skip_space();
      const auto begin = at_;
      Value call = TRY(parse_command(depth));
      if (call.kind != Value::Kind::call) return wrong(begin, "is no function");
      call.arguments.push_back(std::move(value));
      value = std::move(call);
      skip_space();
      if (++depth > kMostDepth) return wrong(begin, "is nested deeper than 16 levels");
    }
    return value;
  }

  /// A value, or a function with its arguments. How many those are is looked at when it is called: a pipe adds one.
  Result<Value> parse_command(int depth) {
    Value value = TRY(parse_operand(depth));
    if (value.kind != Value::Kind::call || called_in_parentheses_) return value;
    while (true) {
      skip_space();
      if (at_ >= text_.size() || is_at("|") || is_at(")") || is_at("}}") || is_at("-}}")) return value;
      value.arguments.push_back(TRY(parse_operand(depth + 1)));
      called_in_parentheses_ = false;
    }
  }

  Result<Value> parse_operand(int depth) {
    skip_space();
    const auto begin = at_;
    called_in_parentheses_ = false;
    if (depth > kMostDepth) return wrong(begin, "is nested deeper than 16 levels");
    if (take("(")) return parse_group(begin, depth);
    if (take(".")) return parse_field(begin);
    if (is_at("\"") || is_at("`")) return parse_text();
    if (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '-')) return parse_number();
    const std::string_view name = word();
    if (name == "true" || name == "false") return Value{.literal = name == "true", .at = begin};
    if (name.empty()) return nameless(begin);
    const RuleFunctionEntry* function = find_rule_function(name);
    if (!function) return unknown(begin, "\"" + std::string(name) + "\" is no function that is known here");
    return Value{.kind = Value::Kind::call, .function = function, .at = begin};
  }

  std::unexpected<Error> nameless(std::size_t begin) {
    if (is_at("$")) return unknown(begin, "variables are not known here");
    if (is_at("/*")) return unknown(begin, "comments are not known here");
    return wrong(begin, "expected a value");
  }

  Result<Value> parse_group(std::size_t begin, int depth) {
    Value value = TRY(parse_pipe(depth + 1));
    skip_space();
    if (!take(")")) return wrong(begin, "this \"(\" is not closed");
    called_in_parentheses_ = true;
    return value;
  }

  Result<Value> parse_field(std::size_t begin) {
    const std::string_view name = word();
    if (name == "Name") return Value{.kind = Value::Kind::name, .at = begin};
    if (name == "ContainerName") return Value{.kind = Value::Kind::container_name, .at = begin};
    if (name != "Labels") return unknown(begin, "\"." + std::string(name) + "\" is no field that is known here");
    Value labels{.kind = Value::Kind::labels, .at = begin};
    if (!take(".")) return labels;
    const std::string key(word());
    if (key.empty()) return wrong(begin, "a label's name is missing");
    Value value{.kind = Value::Kind::call, .function = find_rule_function("index"), .at = begin};
    value.arguments.push_back(std::move(labels));
    value.arguments.push_back({.literal = key, .at = begin});
    called_in_parentheses_ = true;  // takes no further arguments
    return value;
  }

  Result<Value> parse_text() {
    const auto begin = at_;
    const char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (quote == '"' && text_[at_] == '\\') {
        ++at_;
        if (!is_at("\"") && !is_at("\\")) return wrong(begin, "of escapes only \\\" and \\\\ are known here");
      }
      out += text_[at_++];
    }
    if (!take({&quote, 1})) return wrong(begin, "this text is not closed");
    return Value{.literal = std::move(out), .at = begin};
  }

  Result<Value> parse_number() {
    const auto begin = at_;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    at_ = static_cast<std::size_t>(end - text_.data());
    if (error != std::errc{} || (at_ < text_.size() && is_word(text_[at_]))) return wrong(begin, "is no whole number");
    return Value{.literal = number, .at = begin};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view closer_;             ///< what ended the last run of parts
  std::size_t closer_at_ = 0;           ///< its place
  bool called_in_parentheses_ = false;  ///< the last operand is complete, though it is a call
  bool unknown_ = false;
};

class Filler {
 public:
  Filler(std::string_view text, const Target& target) : text_(text), target_(target) {}

  Result<void> add(const std::vector<Part>& parts, std::string& out) const {
    for (const Part& part : parts) {
      out += part.text;
      if (part.value) out += rule_text(TRY(value_of(*part.value)));
      if (out.size() > kMostRule) return std::unexpected(error_at(text_, 0, "gives a rule of more than 64 KiB"));
      TRY(add_branch(part.branches, out));
    }
    return {};
  }

 private:
  Result<void> add_branch(const std::vector<Branch>& branches, std::string& out) const {
    for (const Branch& branch : branches)
      if (!branch.when || rule_truth(TRY(value_of(*branch.when)))) return add(branch.parts, out);
    return {};
  }

  Result<RuleValue> value_of(const Value& value) const {
    using Kind = Value::Kind;
    if (value.kind == Kind::container_name) return RuleValue(target_.name);
    if (value.kind == Kind::labels) return RuleValue(LabelMap{&target_.labels});
    if (value.kind == Kind::name) {
      const bool composed = !target_.project.empty() && !target_.service.empty();
      return RuleValue(normalize(composed ? target_.service + "_" + target_.project : target_.name));
    }
    return value.kind == Kind::call ? call(value) : Result<RuleValue>(value.literal);
  }

  Result<RuleValue> call(const Value& value) const {
    const RuleFunctionEntry& function = *value.function;
    std::vector<RuleValue> arguments;
    for (const Value& each : value.arguments) arguments.push_back(TRY(value_of(each)));
    if (arguments.size() < function.least || arguments.size() > function.most)
      return wrong(value,
                   "takes " + std::to_string(function.least) + " arguments, not " + std::to_string(arguments.size()));
    auto result = function.call(arguments);
    if (!result) return wrong(value, std::move(result.error().message));
    return result;
  }

  std::unexpected<Error> wrong(const Value& value, std::string_view why) const {
    return std::unexpected(error_at(text_, value.at, std::string(value.function->name) + " " + std::string(why)));
  }

  std::string_view text_;
  const Target& target_;
};

}  // namespace

Result<RuleTemplate> RuleTemplate::parse(std::string_view text) {
  RuleTemplate out;
  Parser parser(text);
  auto parts = parser.parse();
  if (!parts && !parser.met_unknown()) return std::unexpected(std::move(parts.error()));
  out.text_ = text;
  if (parts)
    out.parts_ = std::move(*parts);
  else
    out.unknown_ = std::move(parts.error());
  return out;
}

Result<std::string> RuleTemplate::fill(const Target& target) const {
  if (unknown_) return std::unexpected(*unknown_);
  std::string out;
  TRY(Filler(text_, target).add(parts_, out));
  return out;
}

}  // namespace berth::edge
