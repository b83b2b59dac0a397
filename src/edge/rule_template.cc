#include "edge/rule_template.h"

#include <algorithm>

#include "base/text.h"

namespace berth::edge {
namespace {

using Part = RuleTemplate::Part;
using Source = RuleTemplate::Source;
using Change = RuleTemplate::Change;

constexpr std::size_t kMostText = 4096;
constexpr int kMostDepth = 16;
constexpr std::string_view kForms =
    "; use .Name, .ContainerName, index .Labels \"key\", and normalize or lower of them";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Bytes beyond ASCII count as letters.
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

void drop_spaces_at_end(std::string& text) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Part>> parse() {
    if (text_.size() > kMostText) return error_at(0, "is longer than 4096 bytes");
    while (at_ < text_.size()) {
      const auto open = text_.find("{{", at_);
      std::string before(text_.substr(at_, open == std::string_view::npos ? open : open - at_));
      at_ = open == std::string_view::npos ? text_.size() : open + 2;
      const bool trims = open != std::string_view::npos && text_.substr(at_).starts_with("- ");
      if (trims) drop_spaces_at_end(before);
      if (!before.empty()) parts_.push_back({.text = std::move(before)});
      if (open != std::string_view::npos) TRY(parse_action(open, trims));
    }
    return std::move(parts_);
  }

 private:
  std::unexpected<Error> error_at(std::size_t position, std::string message) const {
    const std::string_view before = text_.substr(0, position);
    const auto start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    const auto line = 1 + std::ranges::count(before, '\n');
    std::string where = std::to_string(line) + ":" + std::to_string(position - start + 1) + ": ";
    return fail(Code::invalid, where + std::move(message),
                std::string(text_.substr(start, text_.find('\n', start) - start)) + "\n" +
                    std::string(position - start, ' ') + "^");
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  std::string_view word() {
    const auto begin = at_;
    while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '_')) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Result<void> parse_action(std::size_t open, bool trims) {
    if (trims) ++at_;
    Part part = TRY(parse_pipe(0));
    const bool trims_after = take("-}}");
    if (!trims_after && !take("}}")) {
      return at_ >= text_.size() ? error_at(open, "this \"{{\" is not closed")
                                 : error_at(at_, "is not known here" + std::string(kForms));
    }
    if (trims_after) skip_space();
    parts_.push_back(std::move(part));
    return {};
  }

  Result<Part> parse_pipe(int depth) {
    Part part = TRY(parse_value(depth));
    skip_space();
    while (take("|")) {
      skip_space();
      const auto begin = at_;
      const auto change = change_of(word());
      if (!change) return error_at(begin, "is no function that is known here" + std::string(kForms));
      part.changes.push_back(*change);
      skip_space();
    }
    return part;
  }

  static std::optional<Change> change_of(std::string_view name) {
    if (name == "normalize") return Change::normalize;
    if (name == "lower") return Change::lower;
    return std::nullopt;
  }

  Result<Part> parse_value(int depth) {
    skip_space();
    const auto begin = at_;
    if (depth > kMostDepth) return error_at(begin, "is nested deeper than 16 levels");
    if (take("(")) return parse_group(begin, depth);
    if (take(".")) return parse_field(begin);
    const std::string_view name = word();
    if (name == "index") return parse_index();
    const auto change = change_of(name);
    if (!change) return error_at(begin, "is not known here" + std::string(kForms));
    Part part = TRY(parse_value(depth + 1));
    part.changes.push_back(*change);
    return part;
  }

  Result<Part> parse_group(std::size_t begin, int depth) {
    Part part = TRY(parse_pipe(depth + 1));
    if (!take(")")) return error_at(begin, "this \"(\" is not closed");
    return part;
  }

  Result<Part> parse_field(std::size_t begin) {
    const std::string_view name = word();
    if (name == "Name") return Part{.source = Source::name};
    if (name == "ContainerName") return Part{.source = Source::container_name};
    if (name == "Labels" && take(".")) {
      const std::string key(word());
      if (!key.empty()) return Part{.source = Source::label, .text = key};
    }
    return error_at(begin, "is no field that is known here" + std::string(kForms));
  }

  Result<Part> parse_index() {
    skip_space();
    const auto begin = at_;
    if (!take(".Labels")) return error_at(begin, "is not .Labels" + std::string(kForms));
    skip_space();
    const auto start = at_;
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    const auto end = quote == '"' || quote == '`' ? text_.find(quote, at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) return error_at(start, "expected a label's name in double quotes");
    const std::string_view key = text_.substr(start + 1, end - start - 1);
    if (key.empty() || key.contains('\\')) return error_at(start, "is not the name of a label");
    at_ = end + 1;
    return Part{.source = Source::label, .text = std::string(key)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Part> parts_;
};

std::string value_of(const Part& part, const Target& target) {
  if (part.source == Source::text) return part.text;
  if (part.source == Source::container_name) return target.name;
  if (part.source == Source::name) {
    const bool composed = !target.project.empty() && !target.service.empty();
    return normalize(composed ? target.service + "_" + target.project : target.name);
  }
  const auto found = std::ranges::find(target.labels, part.text, &std::pair<std::string, std::string>::first);
  return found == target.labels.end() ? "" : found->second;
}

}  // namespace

std::string normalize(std::string_view text) {
  std::string out;
  bool gap = false;
  for (const char c : text) {
    if (!is_word(c)) {
      gap = true;
      continue;
    }
    if (gap && !out.empty()) out += '-';
    gap = false;
    out += c;
  }
  return out;
}

Result<RuleTemplate> RuleTemplate::parse(std::string_view text) {
  RuleTemplate out;
  out.parts_ = TRY(Parser(text).parse());
  return out;
}

std::string RuleTemplate::fill(const Target& target) const {
  std::string out;
  for (const Part& part : parts_) {
    std::string value = value_of(part, target);
    for (const Change change : part.changes) value = change == Change::lower ? lower(value) : normalize(value);
    out += value;
  }
  return out;
}

}  // namespace berth::edge
