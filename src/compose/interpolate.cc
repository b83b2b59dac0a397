#include "compose/interpolate.h"

#include <fmt/format.h>

#include <optional>

namespace berth::compose {
namespace {

constexpr int kDepth = 50;

bool starts_name(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool in_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9');
}

std::string_view name_at(std::string_view text) {
  if (text.empty() || !starts_name(text[0])) return {};
  std::size_t n = 1;
  while (n < text.size() && in_name(text[n])) ++n;
  return text.substr(0, n);
}

// The brace that closes the first one; nested braces count. npos when they are not balanced.
std::size_t closing_brace(std::string_view text) {
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}' && --open == 0) return i;
    if (text[i] == '{') {
      ++open;
      ++i;  // in `{}` the second brace closes nothing: it is the first character of what was opened
    }
  }
  return std::string_view::npos;
}

class Template {
 public:
  Template(std::string_view text, const Lookup& lookup, std::set<std::string>& unset, int depth)
      : rest_(text), lookup_(lookup), unset_(unset), depth_(depth) {}

  Result<std::string> run() {
    if (depth_ > kDepth) return fail(Code::invalid, "variables are nested too deep");
    for (;;) {
      const std::size_t dollar = rest_.find('$');
      out_ += rest_.substr(0, dollar);
      if (dollar == std::string_view::npos) return std::move(out_);
      rest_.remove_prefix(dollar + 1);
      if (rest_.starts_with('$')) {
        out_ += '$';
        rest_.remove_prefix(1);
      } else if (rest_.starts_with('{')) {
        rest_.remove_prefix(1);
        TRY(braced());
      } else if (const std::string_view name = name_at(rest_); !name.empty()) {
        rest_.remove_prefix(name.size());
        plain(name);
      } else {
        out_ += '$';
      }
    }
  }

 private:
  // Behind the "${" that is wrong.
  std::unexpected<Error> invalid() const {
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    return fail(Code::invalid, fmt::format("invalid template \"${{{}\": write a dollar that starts no variable as $$",
                                           line.substr(0, 60)));
  }

  void plain(std::string_view name) {
    const std::string key(name);
    if (const std::string* value = lookup_(key))
      out_ += *value;
    else
      unset_.insert(key);
  }

  // Behind "${".
  Result<void> braced() {
    const std::string_view name = name_at(rest_);
    if (name.empty()) return invalid();
    std::string_view after = rest_.substr(name.size());
    if (after.starts_with('}')) {
      rest_ = after.substr(1);
      plain(name);
      return {};
    }
    const bool empty_is_unset = after.starts_with(':');
    if (empty_is_unset) after.remove_prefix(1);
    const char sign = after.empty() ? '\0' : after[0];
    if (sign != '-' && sign != '+' && sign != '?') return invalid();
    const std::optional<std::string_view> argument = take_argument(after.substr(1));
    if (!argument) return invalid();
    return choose({.name = std::string(name), .sign = sign, .empty_is_unset = empty_is_unset, .argument = *argument});
  }

  // The last brace of the line that `from` begins in; searched once a line, not once a variable.
  std::size_t last_brace(std::string_view from) {
    if (line_end_ == nullptr || from.data() > line_end_) {
      const std::string_view line = from.substr(0, from.find('\n'));
      const std::size_t at = line.rfind('}');
      line_end_ = line.data() + line.size();
      last_brace_ = at == std::string_view::npos ? nullptr : line.data() + at;
    }
    if (last_brace_ == nullptr || last_brace_ < from.data()) return std::string_view::npos;
    return static_cast<std::size_t>(last_brace_ - from.data());
  }

  // Up to the closing brace, or to the last one of the line where the braces inside are not balanced.
  std::optional<std::string_view> take_argument(std::string_view from) {
    const std::size_t last = last_brace(from);
    if (last == std::string_view::npos) return std::nullopt;
    const std::string_view head(rest_.data() - 1, static_cast<std::size_t>(from.data() - rest_.data()) + last + 2);
    const std::size_t closing = closing_brace(head);
    const std::size_t end =
        closing == std::string_view::npos ? last : closing - (static_cast<std::size_t>(from.data() - head.data()));
    rest_ = from.substr(end + 1);
    return from.substr(0, end);
  }

  struct Choice {
    std::string name;
    char sign;
    bool empty_is_unset;
    std::string_view argument;
  };
  Result<void> choose(const Choice& choice) {
    const std::string* value = lookup_(choice.name);
    const bool present = value != nullptr && !(choice.empty_is_unset && value->empty());
    if (choice.sign == '+' ? !present : present) {
      if (value != nullptr) out_ += *value;
      return {};
    }
    const std::string argument = TRY(Template(choice.argument, lookup_, unset_, depth_ + 1).run());
    if (choice.sign == '?')
      return fail(Code::invalid, fmt::format("required variable {} is missing a value{}{}", choice.name,
                                             argument.empty() ? "" : ": ", argument));
    out_ += argument;
    return {};
  }

  std::string_view rest_;  // of the text; the byte before a name in braces is the brace
  const char* line_end_ = nullptr;
  const char* last_brace_ = nullptr;
  const Lookup& lookup_;
  std::set<std::string>& unset_;
  int depth_;
  std::string out_;
};

}  // namespace

Lookup lookup_in(const Environment& environment) {
  return [&environment](const std::string& name) {
    const auto at = environment.find(name);
    return at == environment.end() ? nullptr : &at->second;
  };
}

Result<std::string> substitute(std::string_view text, const Lookup& lookup, std::set<std::string>& unset) {
  return Template(text, lookup, unset, 0).run();
}

}  // namespace berth::compose
