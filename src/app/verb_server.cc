// `berth server add|list|remove|check`: engines on other machines, to look at.
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "app/arguments.h"
#include "app/server_book.h"
#include "app/verbs.h"
#include "cli/exit_status.h"
#include "io/file.h"
#include "io/process.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth server add NAME ADDRESS [FLAGS]\n"
    "       berth server list\n"
    "       berth server check NAME\n"
    "       berth server remove NAME\n\n"
    "Servers are engines on other machines that berth shows: ssh://USER@HOST[:PORT], tcp://HOST:PORT with TLS in both\n"
    "directions, or another socket of this machine. Nothing is changed there. check connects now, and fails when the\n"
    "engine does not answer.\n\n"
    "add shows the fingerprint of an ssh host's key and asks; from then on the host is known by that key alone.\n\n"
    "Flags:\n"
    "  --fingerprint SHA256:...  the fingerprint that the host must show; nothing is asked\n"
    "  -y, --yes        take the key that the host shows\n"
    "  --identity FILE  key to log in with over ssh (default: those in ~/.ssh of berth's user)\n"
    "  --ca FILE        certificate of the CA that signed the engine's, for tcp://\n"
    "  --cert FILE      our certificate, for tcp://\n"
    "  --key FILE       its key; it is kept sealed\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --format FORMAT  table or json (default table)\n";

struct Flags {
  std::vector<std::string> words{};
  std::string fingerprint{}, identity{}, ca{}, cert{}, key{};
  std::string data = "/var/lib/berth";
  bool yes = false, json = false, help = false;
};

Result<void> take_value(Arguments& arguments, Flags& flags) {
  const std::pair<std::string_view, std::string*> kValues[] = {{"--fingerprint", &flags.fingerprint},
                                                               {"--identity", &flags.identity},
                                                               {"--ca", &flags.ca},
                                                               {"--cert", &flags.cert},
                                                               {"--key", &flags.key},
                                                               {"--data", &flags.data}};
  for (const auto& [name, into] : kValues) {
    auto value = arguments.value(name);
    if (!value) continue;
    *into = std::move(*value);
    return {};
  }
  const auto format = arguments.value("--format");
  if (!format || (*format != "json" && *format != "table"))
    return fail(Code::invalid, "\"" + arguments.word() + "\" is not known here; berth server --help shows what is");
  flags.json = *format == "json";
  return {};
}

Result<Flags> parse(const std::vector<std::string>& words) {
  Flags flags;
  Arguments arguments(words);
  while (arguments.next()) {
    const std::string& word = arguments.word();
    if (word == "-h" || word == "--help")
      flags.help = true;
    else if (word == "-y" || word == "--yes")
      flags.yes = true;
    else if (word.starts_with('-'))
      TRY(take_value(arguments, flags));
    else
      flags.words.push_back(word);
  }
  return flags;
}

Result<std::string> text_of(const std::string& file) {
  return file.empty() ? Result<std::string>(std::string()) : io::read_file(file, 1u << 20);
}

Result<Json> order_of(const Flags& flags) {
  std::string identity = flags.identity;
  if (!identity.empty()) {
    identity = std::filesystem::absolute(identity).lexically_normal().string();
    if (!io::exists(identity)) return fail(Code::not_found, identity + ": there is no such file");
  }
  return Json::object({{"name", flags.words[1]},
                       {"address", flags.words[2]},
                       {"fingerprint", flags.fingerprint},
                       {"identity", identity},
                       {"ca", TRY(text_of(flags.ca))},
                       {"certificate", TRY(text_of(flags.cert))},
                       {"key", TRY(text_of(flags.key))}});
}

Result<void> confirm(const Json& shown, bool yes) {
  const std::string print(shown["fingerprint"].text());
  std::fprintf(stderr, "the host shows the key %s (%s)\n", print.c_str(), std::string(shown["keyType"].text()).c_str());
  if (yes) return {};
  if (!io::is_terminal(STDIN_FILENO))
    return fail(Code::denied,
                "nobody can be asked whether this is the host's key: compare it there with ssh-keygen -lf "
                "/etc/ssh/ssh_host_ed25519_key.pub, then give --fingerprint " +
                    print + ", or -y");
  if (agreed("Is this the host's key? [y/N] ")) return {};
  return fail(Code::denied, "the server was not added");
}

io::Task<Result<Json>> add(const Flags& flags, ServerBook& book) {
  Json order = CO_TRY(order_of(flags));
  auto outcome = CO_TRY(co_await book.add(order));
  if (!outcome["added"].boolean()) {
    CO_TRY(confirm(outcome, flags.yes));
    order.set("fingerprint", outcome["fingerprint"]);
    outcome = CO_TRY(co_await book.add(std::move(order)));
  }
  co_return co_await book.check(flags.words[1]);
}

io::Task<Result<Json>> remove(const Flags& flags, ServerBook& book) {
  CO_TRY(co_await book.remove(flags.words[1]));
  co_return Json::object({{"removed", flags.words[1]}});
}

std::string text(const Json& row, std::string_view name) {
  return std::string(row[name].text("-"));
}

void print_rows(const Json& rows) {
  std::printf("%-20s %-6s %-6s %-12s %-36s %s\n", "NAME", "KIND", "STATE", "VERSION", "ADDRESS", "WHY");
  for (const Json& row : rows.items())
    std::printf("%-20s %-6s %-6s %-12s %-36s %s\n", text(row, "name").c_str(), text(row, "kind").c_str(),
                text(row, "state").c_str(), text(row, "version").c_str(), text(row, "address").c_str(),
                std::string(row["why"].text()).c_str());
}

void print(const Flags& flags, const Json& result) {
  if (flags.json)
    std::printf("%s\n", result.dump(2).c_str());
  else if (result.is_array())
    print_rows(result);
  else if (result.contains("removed"))
    std::printf("removed %s; nothing changed there\n", text(result, "removed").c_str());
  else if (result["state"].text() == "up")
    std::printf("%s: engine %s (API %s) answers at %s\n", text(result, "name").c_str(), text(result, "version").c_str(),
                text(result, "apiVersion").c_str(), text(result, "address").c_str());
}

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth server: %s\n", error.text().c_str());
  return status;
}

// A server that was added stays, whether it answers or not; check is asked whether it does.
int finish(const Flags& flags, const Result<Json>& result) {
  if (!result) return complain(result.error(), result.error().code == Code::busy ? cli::kBusy : cli::kFailed);
  print(flags, *result);
  if ((*result)["state"].text() != "down") return cli::kDone;
  const bool added = flags.words[0] == "add";
  complain({Code::unavailable, (added ? "added, but it does not answer: " : "") + text(*result, "why")}, 0);
  return added ? cli::kDone : cli::kFailed;
}

}  // namespace

int run_server(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error(), cli::kBadUsage);
  if (flags->help || flags->words.empty()) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  struct Known {
    std::string_view verb;
    std::size_t words;
    ServerWork work;
  };
  const Known known[] = {
      {"add", 3, [&](ServerBook& book) { return add(*flags, book); }},
      {"list", 1, [](ServerBook& book) { return book.list(); }},
      {"check", 2, [&](ServerBook& book) { return book.check(flags->words[1]); }},
      {"remove", 2, [&](ServerBook& book) { return remove(*flags, book); }},
  };
  for (const Known& each : known)
    if (each.verb == flags->words[0] && each.words == flags->words.size())
      return finish(*flags, with_servers(flags->data, environment, each.work));
  return complain({Code::invalid, "say berth server add NAME ADDRESS, list, check NAME or remove NAME"},
                  cli::kBadUsage);
}

}  // namespace berth::app
