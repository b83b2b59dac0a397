// The only file that knows CLI11. Two flat passes: global flags up to the verb, then the verb's with the global ones.
#include "cli/arguments.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <set>

#include "base/text.h"
#include "cli/flags.h"

namespace berth::cli {
namespace {

// "-f,--file" without the names that are taken.
std::string free_names(std::string_view names, const std::set<std::string, std::less<>>& taken) {
  Texts out;
  for (const auto name : split(names, ','))
    if (!taken.contains(name)) out.emplace_back(name);
  return join(out, ",");
}

std::string long_name(std::string_view names) {
  return std::string(split(names, ',').back());
}

// "-t=5" arrives as "=5".
std::string value_text(std::string text) {
  if (text.size() > 1 && text.front() == '=') text.erase(0, 1);
  return text;
}

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
  const Texts& results;
  const std::string& flag;
  Result<void> operator()(bool* into) const {
    *into = TRY(truth(value_text(results.back()), flag));
    return {};
  }
  Result<void> operator()(std::string* into) const {
    *into = value_text(results.back());
    return {};
  }
  Result<void> operator()(std::optional<std::string>* into) const {
    *into = value_text(results.back());
    return {};
  }
  Result<void> operator()(Texts* into) const {
    for (const auto& text : results) into->push_back(value_text(text));
    return {};
  }
  Result<void> operator()(std::int64_t* into) const {
    *into = TRY(whole_number(value_text(results.back()), flag));
    return {};
  }
  Result<void> operator()(std::optional<std::int64_t>* into) const {
    *into = TRY(whole_number(value_text(results.back()), flag));
    return {};
  }
};

// One flat parser over a list of flags.
class Pass {
 public:
  explicit Pass(bool stops) {
    app_.set_help_flag();
    app_.allow_extras();
    app_.prefix_command(stops);
  }

  void add(const std::vector<Flag>& flags) {
    for (const auto& flag : flags) {
      const auto names = free_names(flag.names, taken_);
      if (names.empty()) continue;
      for (const auto name : split(flag.names, ',')) taken_.emplace(name);
      auto* option = std::holds_alternative<bool*>(flag.target) ? app_.add_flag(names) : app_.add_option(names);
      option->take_all();
      if (!std::holds_alternative<bool*>(flag.target)) option->expected(1)->allow_extra_args(false);
      bound_.emplace_back(option, flag);
    }
  }

  // What is no flag of ours, in order.
  Result<Texts> parse(Texts arguments) {
    std::ranges::replace(arguments, "--", kDashes);  // which CLI11 would swallow
    std::ranges::reverse(arguments);                 // it takes them from the back
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ArgumentMismatch& error) {
      return fail(Code::invalid, "flag needs an argument: " + std::string(cut(error.what(), ':').before));
    } catch (const CLI::Error& error) {
      return fail(Code::invalid, error.what());
    }
    for (const auto& [option, flag] : bound_)
      if (option->count() > 0) TRY(std::visit(Assign{option->results(), long_name(flag.names)}, flag.target));
    Texts rest = app_.remaining();
    std::ranges::replace(rest, kDashes, "--");
    return rest;
  }

  std::vector<std::string_view> names() const { return {taken_.begin(), taken_.end()}; }

 private:
  static constexpr const char* kDashes = "\x01--";

  CLI::App app_;
  std::set<std::string, std::less<>> taken_;
  std::vector<std::pair<CLI::Option*, Flag>> bound_;
};

bool looks_like_flag(std::string_view text) {
  return text.size() > 1 && text.front() == '-';
}

std::unexpected<Error> unknown_flag(std::string_view flag, const Pass& pass, std::string_view verb) {
  const auto name = cut(flag, '=').before;
  const auto of = verb.empty() ? std::string() : " of berth " + std::string(verb);
  auto names = pass.names();
  if (!name.starts_with("--")) names.clear();
  return fail(Code::invalid, "unknown flag " + std::string(name) + of + suggestion(name, names),
              "see berth " + (verb.empty() ? "" : std::string(verb) + " ") + "--help");
}

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
  Pass pass(grammar.stops);
  pass.add(verb_flags(grammar.name, options));
  pass.add(global_flags(options));
  // After "--" nothing is a flag.
  const auto mark = grammar.stops ? arguments.end() : std::ranges::find(arguments, "--");
  auto rest = TRY(pass.parse(Texts(arguments.begin(), mark)));
  const std::size_t ours = grammar.stops ? std::min<std::size_t>(rest.size(), 1) : rest.size();
  for (std::size_t i = 0; i < ours; ++i)
    if (looks_like_flag(rest[i])) return unknown_flag(rest[i], pass, grammar.name);
  if (mark != arguments.end()) rest.insert(rest.end(), mark + 1, arguments.end());
  options.arguments = std::move(rest);
  return options.global.help ? Result<void>{} : check_count(grammar, options.arguments.size());
}

}  // namespace

Result<Options> parse_arguments(const Texts& arguments, const Texts& others) {
  Options options;
  Pass pass(true);
  pass.add(global_flags(options));
  auto rest = TRY(pass.parse(arguments));
  if (!rest.empty() && looks_like_flag(rest.front())) return unknown_flag(rest.front(), pass, "");
  if (!rest.empty() && rest.front() == "compose") {
    rest.erase(rest.begin());
    Pass again(true);
    again.add(global_flags(options));
    rest = TRY(again.parse(rest));
    if (!rest.empty() && looks_like_flag(rest.front())) return unknown_flag(rest.front(), again, "");
  }
  if (!rest.empty() && rest.front() == "help") {
    options.global.help = true;
    rest.erase(rest.begin());
  }
  if (rest.empty()) return options;
  const auto* grammar = find_grammar(rest.front());
  if (!grammar) return unknown_verb(rest.front(), others);
  options.verb = grammar->name;
  rest.erase(rest.begin());
  TRY(parse_verb(options, *grammar, std::move(rest)));
  return options;
}

}  // namespace berth::cli
