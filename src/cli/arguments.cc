// Two flat passes: global flags up to the verb, then the verb's with the global ones. The rules are those of the flag
// library that docker and docker compose use, so that the same words mean the same.
#include "cli/arguments.h"

#include <charconv>
#include <deque>
#include <map>

#include "base/text.h"
#include "cli/flags.h"

namespace berth::cli {
namespace {

Result<std::int64_t> whole_number(const std::string& text, std::string_view flag) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return fail(Code::invalid, "invalid argument \"" + text + "\" for " + std::string(flag) + ": not a whole number");
  return value;
}

Result<bool> truth(const std::string& text, std::string_view flag) {
  if (text == "true" || text == "1" || text == "t" || text == "T" || text == "TRUE" || text == "True") return true;
  if (text == "false" || text == "0" || text == "f" || text == "F" || text == "FALSE" || text == "False") return false;
  return fail(Code::invalid, "invalid argument \"" + text + "\" for " + std::string(flag) + ": not true or false");
}

struct Assign {
  const std::string& text;
  std::string_view flag;
  Result<void> operator()(bool* into) const {
    *into = TRY(truth(text, flag));
    return {};
  }
  Result<void> operator()(std::string* into) const {
    *into = text;
    return {};
  }
  Result<void> operator()(std::optional<std::string>* into) const {
    *into = text;
    return {};
  }
  Result<void> operator()(Texts* into) const {
    into->push_back(text);
    return {};
  }
  Result<void> operator()(std::int64_t* into) const {
    *into = TRY(whole_number(text, flag));
    return {};
  }
  Result<void> operator()(std::optional<std::int64_t>* into) const {
    *into = TRY(whole_number(text, flag));
    return {};
  }
};

bool is_switch(const Flag& flag) {
  return std::holds_alternative<bool*>(flag.target);
}

Result<void> check_choice(const Flag& flag, const std::string& text, std::string_view name) {
  const auto choices = split(flag.choices, '|');
  if (flag.choices.empty() || choices.back() == "..." || std::ranges::find(choices, text) != choices.end()) return {};
  return fail(Code::invalid, std::string(name) + " " + text + ": it is one of " + replace_all(flag.choices, "|", ", ") +
                                 suggestion(text, choices));
}

bool looks_like_flag(std::string_view text) {
  return text.size() > 1 && text.front() == '-';
}

// One flat parser over a list of flags.
class Pass {
 public:
  explicit Pass(std::string_view verb) : verb_(verb) {}

  /// A name that an earlier list gave stays its.
  void add(std::vector<Flag> flags) {
    for (auto& flag : flags) {
      const auto& kept = flags_.emplace_back(std::move(flag));
      for (const auto name : split(kept.names, ',')) by_name_.try_emplace(name, &kept);
    }
  }

  /// What is no flag, in order. With `stops` the first such word ends the flags; "--" does in any case, and goes.
  Result<Texts> parse(Texts arguments, bool stops) {
    words_ = std::move(arguments);
    Texts rest;
    for (at_ = 0; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      const bool ends = word == "--" || (stops && !looks_like_flag(word));
      if (ends) {
        const auto from = words_.begin() + static_cast<std::ptrdiff_t>(at_ + (word == "--" ? 1 : 0));
        rest.insert(rest.end(), from, words_.end());
        break;
      }
      if (!looks_like_flag(word))
        rest.push_back(word);
      else if (word.starts_with("--"))
        TRY(take_long(word));
      else
        TRY(take_short(word));
    }
    return rest;
  }

 private:
  Result<void> take_long(const std::string& word) {
    const auto [name, value, has_value] = cut(word, '=');
    const Flag& flag = *TRY(find(name));
    if (has_value) return assign(flag, std::string(value));
    return assign(flag, is_switch(flag) ? "true" : TRY(next_word(name)));
  }

  // "-aq", "-n5", "-n=5", "-n 5", "-i=false".
  Result<void> take_short(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string name = {'-', word[i]};
      const Flag& flag = *TRY(find(name));
      const auto rest = std::string_view(word).substr(i + 1);
      if (rest.starts_with('=')) return assign(flag, std::string(rest.substr(1)));
      if (!is_switch(flag)) return assign(flag, rest.empty() ? TRY(next_word(name)) : std::string(rest));
      TRY(assign(flag, "true"));
    }
    return {};
  }

  Result<std::string> next_word(std::string_view name) {
    if (at_ + 1 == words_.size()) return fail(Code::invalid, "flag needs an argument: " + std::string(name));
    return words_[++at_];
  }

  Result<const Flag*> find(std::string_view name) const {
    if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
    std::vector<std::string_view> names;
    for (const auto& [known, flag] : by_name_)
      if (known.starts_with("--") && !flag->help.empty()) names.push_back(known);
    if (!name.starts_with("--")) names.clear();
    const auto of = verb_.empty() ? std::string() : " of berth " + std::string(verb_);
    return fail(Code::invalid, "unknown flag " + std::string(name) + of + suggestion(name, names),
                "see berth " + (verb_.empty() ? "" : std::string(verb_) + " ") + "--help");
  }

  static Result<void> assign(const Flag& flag, const std::string& text) {
    const auto name = split(flag.names, ',').back();
    TRY(check_choice(flag, text, name));
    return std::visit(Assign{text, name}, flag.target);
  }

  std::string_view verb_;
  std::deque<Flag> flags_;
  std::map<std::string_view, const Flag*> by_name_;
  Texts words_;
  std::size_t at_ = 0;
};

std::unexpected<Error> unknown_verb(const std::string& verb, const Texts& others) {
  std::vector<std::string_view> names(others.begin(), others.end());
  for (const auto& grammar : grammars())
    if (!grammar.group.empty()) names.push_back(grammar.name);
  return fail(Code::invalid, "unknown command \"" + verb + "\"" + suggestion(verb, names),
              "berth --help lists the commands");
}

Result<void> check_count(const Grammar& grammar, std::size_t count) {
  const auto usage = "berth " + std::string(grammar.name) + " " + std::string(grammar.arguments);
  if (count < static_cast<std::size_t>(grammar.least))
    return fail(
        Code::invalid,
        "berth " + std::string(grammar.name) + " needs " + (grammar.least == 1 ? "an argument" : "more arguments"),
        "usage: " + usage);
  if (grammar.most >= 0 && count > static_cast<std::size_t>(grammar.most))
    return fail(
        Code::invalid,
        "berth " + std::string(grammar.name) + " takes " + (grammar.most == 0 ? "no arguments" : "fewer arguments"),
        "usage: " + usage);
  return {};
}

Result<void> parse_verb(Options& options, const Grammar& grammar, Texts arguments) {
  Pass pass(grammar.name);
  pass.add(verb_flags(grammar.name, options));
  pass.add(global_flags(options));
  options.arguments = TRY(pass.parse(std::move(arguments), grammar.stops));
  return options.global.help ? Result<void>{} : check_count(grammar, options.arguments.size());
}

// `berth -H x compose -f y ps`: docker hands its own flags on before the plugin's name.
Result<Texts> parse_globals(Options& options, const Texts& arguments) {
  Pass pass("");
  pass.add(global_flags(options));
  pass.add(docker_flags(options));
  auto rest = TRY(pass.parse(arguments, true));
  if (rest.empty() || rest.front() != "compose") return rest;
  rest.erase(rest.begin());
  Pass again("");
  again.add(global_flags(options));
  return again.parse(std::move(rest), true);
}

}  // namespace

Result<Options> parse_arguments(const Texts& arguments, const Texts& others) {
  Options options;
  options.words = arguments;
  auto rest = TRY(parse_globals(options, arguments));
  if (!rest.empty() && rest.front() == "help") {
    options.global.help = true;
    rest.erase(rest.begin());
  }
  if (rest.empty()) return options;
  const auto* grammar = find_grammar(rest.front());
  if (!grammar) return unknown_verb(rest.front(), others);
  options.verb = grammar->name;
  rest.erase(rest.begin());
  if (options.verb == "__complete") {  // what is being typed is no flag of ours
    options.arguments = std::move(rest);
    return options;
  }
  TRY(parse_verb(options, *grammar, std::move(rest)));
  return options;
}

}  // namespace berth::cli
