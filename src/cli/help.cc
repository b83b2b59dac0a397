#include "cli/help.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/flags.h"

namespace berth::cli {
namespace {

std::string flag_column(const Flag& flag) {
  const auto names = split(flag.names, ',');
  std::string out;
  if (names.front().starts_with("--")) out = "    ";
  for (std::size_t i = 0; i < names.size(); ++i) out += (i ? ", " : "") + std::string(names[i]);
  if (!flag.value.empty()) out += " " + std::string(flag.value);
  return out;
}

std::string flag_list(const std::vector<Flag>& flags) {
  std::size_t width = 0;
  for (const auto& flag : flags)
    if (!flag.help.empty()) width = std::max(width, flag_column(flag).size());
  std::string out;
  for (const auto& flag : flags)
    if (!flag.help.empty()) out += fmt::format("  {:<{}}  {}\n", flag_column(flag), width, flag.help);
  return out;
}

}  // namespace

std::string help_text(std::span<const OtherVerb> others) {
  std::string out = "berth: Compose projects on a container engine, behind TLS\n\nUsage: berth [FLAGS] COMMAND\n";
  std::string_view group;
  for (const auto& grammar : grammars()) {
    if (grammar.group.empty()) continue;
    if (grammar.group != group) out += fmt::format("\n{}\n", grammar.group);
    group = grammar.group;
    out += fmt::format("  {:<10} {}\n", grammar.name, grammar.summary);
  }
  if (!others.empty()) out += "\nPlatform\n";
  for (const auto& other : others) out += fmt::format("  {:<10} {}\n", other.name, other.summary);
  Options unused;
  out += "\nFlags, before or after the command\n" + flag_list(global_flags(unused));
  out += "\nberth COMMAND --help describes a command.\n";
  return out;
}

std::string help_text_of(std::string_view verb) {
  const Grammar& grammar = *find_grammar(verb);
  Options unused;
  const auto flags = verb_flags(verb, unused);
  std::string out = fmt::format("{}\n\nUsage: berth {}{}{}{}\n", grammar.summary, verb, flags.empty() ? "" : " [FLAGS]",
                                grammar.arguments.empty() ? "" : " ", grammar.arguments);
  if (!flags.empty()) out += "\nFlags\n" + flag_list(flags);
  if (!grammar.example.empty()) out += fmt::format("\nExample\n  {}\n", grammar.example);
  out += "\nThe flags of berth --help hold too.\n";
  return out;
}

}  // namespace berth::cli
