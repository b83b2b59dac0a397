#include "cli/man.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/flags.h"
#include "cli/version.h"

namespace berth::cli {
namespace {

constexpr std::string_view kDate = "2026-11-22";  // of this text

// Text for roff: nothing in it is a request or an escape.
std::string plain(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '`')
      out += "\\(ga";
    else
      out += c;
  }
  return out;
}

std::string heading(std::string_view name, std::string_view summary) {
  std::string title(name);
  for (char& c : title) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return fmt::format(".TH \"{}\" 1 {} \"berth {}\" \"berth\"\n.SH NAME\n{} \\- {}\n", plain(title), kDate, kVersion,
                     plain(name), plain(summary));
}

std::string flag_items(const std::vector<Flag>& flags) {
  std::string out;
  for (const auto& flag : flags) {
    if (flag.help.empty()) continue;
    std::string names;
    for (const auto name : split(flag.names, ','))
      names += (names.empty() ? "" : ", ") + fmt::format("\\fB{}\\fR", plain(name));
    if (!flag.value.empty()) names += fmt::format(" \\fI{}\\fR", plain(flag.value));
    out += fmt::format(".TP\n{}\n{}.\n", names, plain(flag.help));
  }
  return out;
}

constexpr std::string_view kStatuses[][2] = {
    {"0", "Done."},
    {"1", "It failed; also when no engine answers."},
    {"2", "With --detailed-exitcode: there is something to do."},
    {"14", "A named file does not exist."},
    {"15", "The project is invalid, or a variable is missing."},
    {"16", "Wrong flags or arguments."},
    {"18", "An image could not be pulled."},
    {"74", "The world changed since the plan was made."},
    {"75", "Someone else changes this project."},
    {"130", "Interrupted by Ctrl-C."},
};

std::string statuses() {
  std::string out = ".SH EXIT STATUS\nOf exec, run, debug, attach and wait: that of the process. Else:\n";
  for (const auto& [status, meaning] : kStatuses) out += fmt::format(".TP\n{}\n{}\n", status, plain(meaning));
  return out;
}

}  // namespace

std::string man_page(std::span<const OtherVerb> others) {
  auto out = heading("berth", "Compose projects on a container engine, behind TLS");
  out +=
      ".SH SYNOPSIS\n\\fBberth\\fR [\\fIFLAGS\\fR] \\fICOMMAND\\fR\n"
      ".SH DESCRIPTION\nberth runs Compose projects on a Docker Engine and publishes their services over TLS. Its "
      "verbs "
      "and flags are those of docker compose, and more.\n";
  std::string_view group;
  for (const auto& grammar : grammars()) {
    if (grammar.group.empty()) continue;
    if (grammar.group != group) out += fmt::format(".SS {}\n", plain(grammar.group));
    group = grammar.group;
    out += fmt::format(".TP\n\\fBberth\\-{}\\fR(1)\n{}.\n", plain(grammar.name), plain(grammar.summary));
  }
  if (!others.empty()) out += ".SS Platform\n";
  for (const auto& other : others)
    out += fmt::format(".TP\n\\fB{}\\fR\n{}.\n", plain(other.name), plain(other.summary));
  Options unused;
  out += ".SH OPTIONS\nBefore or after the command.\n" + flag_items(global_flags(unused));
  return out + statuses();
}

std::string man_page_of(std::string_view verb) {
  const Grammar& grammar = *find_grammar(verb);
  Options unused;
  const auto flags = verb_flags(verb, unused);
  auto out = heading("berth-" + std::string(verb), grammar.summary);
  out += fmt::format(".SH SYNOPSIS\n\\fBberth {}\\fR{}{}\n", plain(verb), flags.empty() ? "" : " [\\fIFLAGS\\fR]",
                     grammar.arguments.empty() ? "" : " " + plain(grammar.arguments));
  out += fmt::format(".SH DESCRIPTION\n{}.\n", plain(grammar.summary));
  if (const auto items = flag_items(flags); !items.empty()) out += ".SH OPTIONS\n" + items;
  out += fmt::format(".SH EXAMPLE\n.nf\n{}\n.fi\n", plain(grammar.example));
  return out + ".SH SEE ALSO\n\\fBberth\\fR(1), where the flags that every command takes and the exit statuses are.\n";
}

}  // namespace berth::cli
