// `berth registry login|logout|list`: who berth is at registries of images.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "app/api_client.h"
#include "app/arguments.h"
#include "app/verbs.h"
#include "cli/console.h"
#include "cli/exit_status.h"
#include "engine/credentials.h"
#include "http/url.h"
#include "io/process.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth registry login HOST --username USER [--password-stdin] [--no-check]\n"
    "       berth registry logout HOST\n"
    "       berth registry list\n\n"
    "The login of a registry is used for every pull and push of berth serve, and by the Compose verbs of root and of\n"
    "berth's user for what ~/.docker/config.json has no login for. The password or token is asked for, tried by the\n"
    "engine and kept sealed; nothing shows it again. HOST is as images name it, with its port; docker.io is Docker "
    "Hub.\n\n"
    "Flags:\n"
    "  -u, --username USER  name at the registry\n"
    "  --password-stdin     read the password from stdin, up to the first end of line\n"
    "  --no-check           keep it without trying it\n"
    "  --format FORMAT      table or json, one object a line (default table)\n"
    "  --data DIR           data folder of berth serve (default /var/lib/berth)\n";

struct Flags {
  std::vector<std::string> words{};
  std::string user{}, data = "/var/lib/berth", format = "table";
  bool from_stdin = false, check = true, help = false;
};

bool take_value(Arguments& arguments, Flags& flags) {
  const std::pair<std::string_view, std::string*> values[] = {
      {"--username", &flags.user}, {"-u", &flags.user}, {"--data", &flags.data}, {"--format", &flags.format}};
  for (const auto& [name, into] : values) {
    auto value = arguments.value(name);
    if (!value) continue;
    *into = std::move(*value);
    return true;
  }
  return false;
}

bool take_switch(const std::string& word, Flags& flags) {
  const std::pair<std::string_view, bool*> switches[] = {
      {"-h", &flags.help}, {"--help", &flags.help}, {"--password-stdin", &flags.from_stdin}};
  for (const auto& [name, into] : switches)
    if (word == name) return *into = true;
  if (word != "--no-check") return false;
  flags.check = false;
  return true;
}

// What is not known may be a password, and is not repeated.
Result<Flags> parse(const std::vector<std::string>& all) {
  Flags flags;
  Arguments arguments(all);
  while (arguments.next()) {
    const std::string& word = arguments.word();
    if (word == "-p" || word.starts_with("--password=") || word == "--password")
      return fail(Code::invalid, "a password in the arguments shows in the list of processes: use --password-stdin");
    if (take_switch(word, flags) || take_value(arguments, flags)) continue;
    if (word.starts_with('-')) return fail(Code::invalid, "a flag is not known here; --help shows what is");
    flags.words.push_back(word);
  }
  if (flags.format == "table" || flags.format == "json") return flags;
  return fail(Code::invalid, "--format: \"" + flags.format + "\" is neither table nor json");
}

// Keys come one by one and are not shown.
Result<std::string> typed_line() {
  constexpr int kInterrupt = 3, kEnd = 4, kBackspace = 8, kDelete = 127;
  const auto raw = TRY(io::RawTerminal::enter(STDIN_FILENO));
  std::string line;
  for (int key = std::getchar(); key != '\r' && key != '\n' && key != EOF && key != kEnd; key = std::getchar()) {
    if (key == kInterrupt) return fail(Code::cancelled, "interrupted: nothing was kept");
    if (key != kBackspace && key != kDelete)
      line += static_cast<char>(key);
    else if (!line.empty())
      line.pop_back();
  }
  return line;
}

Result<std::string> password_of(const Flags& flags) {
  if (flags.from_stdin) {
    std::string line;
    std::getline(std::cin, line);
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }
  if (!io::is_terminal(STDIN_FILENO))
    return fail(Code::invalid, "there is no terminal to ask for the password; give --password-stdin");
  std::fputs("Password: ", stderr);
  auto line = typed_line();
  std::fputs("\n", stderr);
  return line;
}

Result<void> log_in(const Flags& flags) {
  if (flags.words.size() != 2) return fail(Code::invalid, "say berth registry login HOST --username USER");
  if (flags.user.empty()) return fail(Code::invalid, "--username is missing: the name at the registry");
  const Json kept = TRY(ask_api({.data = flags.data,
                                 .method = "POST",
                                 .path = "/registries",
                                 .body = Json::object({{"host", flags.words[1]},
                                                       {"user", flags.user},
                                                       {"password", TRY(password_of(flags))},
                                                       {"check", flags.check}})}));
  const std::string host(kept["host"].text());
  if (flags.format == "json")
    std::printf("%s\n", kept.dump().c_str());
  else
    std::fprintf(stderr, "%s: %s\n", host.c_str(),
                 flags.check ? "logged in; the login is kept sealed" : "kept sealed, without trying it");
  return {};
}

Result<void> log_out(const Flags& flags) {
  if (flags.words.size() != 2) return fail(Code::invalid, "say berth registry logout HOST");
  const std::string host = TRY(engine::parse_registry(flags.words[1]));
  const auto gone =
      ask_api({.data = flags.data, .method = "DELETE", .path = "/registries/" + http::percent_encode(host)});
  if (!gone) return fail(gone.error());
  std::fprintf(stderr, "%s: the login is forgotten\n", host.c_str());
  return {};
}

Result<void> list(const Flags& flags) {
  std::vector<std::vector<std::string>> rows = {{"HOST", "USER", "CHECKED"}};
  for (const Json& each : TRY(ask_api_list(flags.data, "/registries"))) {
    if (flags.format == "json") std::printf("%s\n", each.dump().c_str());
    rows.push_back({cli::printable(std::string(each["host"].text())), cli::printable(std::string(each["user"].text())),
                    each["checked"].boolean() ? "yes" : "no"});
  }
  if (flags.format != "json") std::fputs(cli::table(rows).c_str(), stdout);
  return {};
}

int complain(const Error& error) {
  std::fprintf(stderr, "berth registry: %s\n", error.text().c_str());
  return error.code == Code::invalid ? cli::kBadUsage : cli::kFailed;
}

}  // namespace

int run_registry(const std::vector<std::string>& arguments, const Environment&) {
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error());
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  const std::pair<std::string_view, Result<void> (*)(const Flags&)> verbs[] = {
      {"login", log_in}, {"logout", log_out}, {"list", list}};
  for (const auto& [name, verb] : verbs) {
    if (flags->words.empty() || flags->words[0] != name) continue;
    const auto done = verb(*flags);
    return done ? cli::kDone : complain(done.error());
  }
  return complain({Code::invalid, "say berth registry login HOST, logout HOST or list; --help tells more"});
}

}  // namespace berth::app
