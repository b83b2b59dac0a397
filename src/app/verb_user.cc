// `berth setup-token`, `berth user`, `berth token` and `berth provider`: accounts, on the machine that runs berth
// serve.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "app/api_client.h"
#include "app/arguments.h"
#include "app/verbs.h"
#include "base/base64.h"
#include "cli/console.h"
#include "cli/exit_status.h"
#include "http/url.h"
#include "io/file.h"
#include "io/seal.h"
#include "io/wall.h"

namespace berth::app {
namespace {

constexpr std::string_view kSetupHelp =
    "Usage: berth setup-token [--host HOST] [--data DIR]\n\n"
    "Prints a new link that makes the first admin. It works for an hour and ends the one before.\n\n"
    "Flags:\n"
    "  --host HOST  of the platform, with a port where it is not 443 (default berth.localhost)\n"
    "  --data DIR   data folder of berth serve (default /var/lib/berth)\n";

constexpr std::string_view kUserHelp =
    "Usage: berth user list [--format table|json]\n"
    "       berth user create NAME [--admin | --role ROLE] [--password-stdin]\n"
    "       berth user role NAME ROLE\n"
    "       berth user password NAME [--password-stdin]\n"
    "       berth user disable|enable|remove NAME\n\n"
    "Roles are viewer, developer, operator and admin. Without --password-stdin a password is made and printed once.\n\n"
    "Flags:\n"
    "  --admin           the same as --role admin\n"
    "  --role ROLE       of the new user (default viewer)\n"
    "  --password-stdin  read the password from stdin, up to the first end of line\n"
    "  --format FORMAT   table or json, one object a line (default table)\n"
    "  --data DIR        data folder of berth serve (default /var/lib/berth)\n";

constexpr std::string_view kTokenHelp =
    "Usage: berth token create NAME --user USER --scopes SCOPE,... [--days DAYS]\n"
    "       berth token list --user USER [--format table|json]\n"
    "       berth token revoke ID --user USER\n\n"
    "A token stands for its user, narrowed to scopes: view, logs, act, deploy, reveal, exec, remove, self, engine,\n"
    "audit, users, settings. Its text is printed once.\n\n"
    "Flags:\n"
    "  --user USER      whose token it is\n"
    "  --scopes SCOPES  divided by commas\n"
    "  --days DAYS      how long it works (default 90; 0 for ever)\n"
    "  --format FORMAT  table or json, one object a line (default table)\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n";

constexpr std::string_view kProviderHelp =
    "Usage: berth provider list [--format table|json]\n"
    "       berth provider add ID FILE [--secret-stdin]\n"
    "       berth provider remove ID\n\n"
    "Others who vouch for users: OpenID Connect, OAuth 2, LDAP, Kerberos. FILE holds its settings as JSON.\n\n"
    "Flags:\n"
    "  --secret-stdin   read the client's secret, or the password of bindDn, from stdin\n"
    "  --format FORMAT  table or json, one object a line (default table)\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n";

struct Flags {
  std::vector<std::string> words{};
  std::string data = "/var/lib/berth", host = "berth.localhost", role = "viewer", user{}, scopes{}, days = "90",
              format = "table";
  bool from_stdin = false, help = false;
};

bool take_flag(Arguments& arguments, Flags& flags) {
  const std::pair<std::string_view, std::string*> texts[] = {
      {"--data", &flags.data},     {"--host", &flags.host}, {"--role", &flags.role},    {"--user", &flags.user},
      {"--scopes", &flags.scopes}, {"--days", &flags.days}, {"--format", &flags.format}};
  for (const auto& [name, into] : texts) {
    auto value = arguments.value(name);
    if (!value) continue;
    *into = std::move(*value);
    return true;
  }
  return false;
}

Result<Flags> parse(const std::vector<std::string>& all) {
  Flags flags;
  Arguments arguments(all);
  while (arguments.next()) {
    const std::string& word = arguments.word();
    if (word == "-h" || word == "--help") {
      flags.help = true;
    } else if (word == "--admin") {
      flags.role = "admin";
    } else if (word == "--password-stdin" || word == "--secret-stdin") {
      flags.from_stdin = true;
    } else if (!take_flag(arguments, flags)) {
      if (word.starts_with('-')) return fail(Code::invalid, "\"" + word + "\" is not known here; --help shows what is");
      flags.words.push_back(word);
    }
  }
  if (flags.format != "table" && flags.format != "json")
    return fail(Code::invalid, "--format: \"" + flags.format + "\" is neither table nor json");
  return flags;
}

/// Words behind the verb, exactly so many.
Result<void> needs_words(const Flags& flags, std::size_t count) {
  if (flags.words.size() == count + 1) return {};
  return fail(Code::invalid, flags.words[0] + " takes " + std::to_string(count) + " words; --help shows which");
}

/// The first line of stdin.
std::string line_of_stdin() {
  std::string line;
  std::getline(std::cin, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

/// From stdin, or a new one that is printed.
struct Password {
  std::string text{};
  bool made = false;
};
Password password_of(const Flags& flags) {
  if (flags.from_stdin) return {.text = line_of_stdin()};
  return {.text = encode_base64url(io::random_bytes(15)), .made = true};
}

void print_password(const Password& password) {
  if (password.made) std::printf("%s\n", password.text.c_str());
}

void print_list(const Flags& flags, const std::vector<Json>& items, const std::vector<std::string>& columns) {
  if (flags.format == "json") {
    for (const auto& item : items) std::printf("%s\n", item.dump().c_str());
    return;
  }
  std::vector<std::vector<std::string>> rows = {{}};
  for (const auto& column : columns) rows[0].push_back(column);
  for (auto& title : rows[0])
    for (char& c : title) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  for (const auto& item : items) {
    rows.emplace_back();
    for (const auto& column : columns) {
      const Json& value = item[column];
      rows.back().push_back(cli::printable(value.is_text() ? std::string(value.text()) : value.dump()));
    }
  }
  std::fputs(cli::table(rows).c_str(), stdout);
}

bool same_name(std::string_view a, std::string_view b) {
  const auto small = [](unsigned char c) { return std::tolower(c); };
  return std::ranges::equal(a, b, {}, small, small);
}

Result<std::string> user_path(const Flags& flags, std::string_view name) {
  for (const auto& user : TRY(ask_api_list(flags.data, "/users")))
    if (same_name(user["name"].text(), name)) return "/users/" + http::percent_encode(user["id"].text());
  return fail(Code::not_found, "user \"" + std::string(name) + "\" does not exist; berth user list shows who does");
}

Result<void> send(const Flags& flags, std::string method, std::string path, Json body = {}) {
  const auto done =
      ask_api({.data = flags.data, .method = std::move(method), .path = std::move(path), .body = std::move(body)});
  if (!done) return fail(done.error());
  return {};
}

Result<void> create_user(const Flags& flags) {
  TRY(needs_words(flags, 1));
  const Password password = password_of(flags);
  TRY(send(flags, "POST", "/users",
           Json::object({{"name", flags.words[1]}, {"role", flags.role}, {"password", password.text}})));
  print_password(password);
  return {};
}

Result<void> change_user(const Flags& flags, Json change) {
  TRY(needs_words(flags, flags.words[0] == "role" ? 2 : 1));
  return send(flags, "PATCH", TRY(user_path(flags, flags.words[1])), std::move(change));
}

Result<void> set_password(const Flags& flags) {
  TRY(needs_words(flags, 1));
  const std::string path = TRY(user_path(flags, flags.words[1]));
  const Password password = password_of(flags);
  TRY(send(flags, "PATCH", path, Json::object({{"password", password.text}})));
  print_password(password);
  return {};
}

Result<void> user_verb(const Flags& flags) {
  const std::string& verb = flags.words[0];
  if (verb == "list") {
    print_list(flags, TRY(ask_api_list(flags.data, "/users")), {"name", "role", "disabled", "totp", "id"});
    return {};
  }
  if (verb == "create") return create_user(flags);
  if (verb == "password") return set_password(flags);
  if (verb == "disable" || verb == "enable") return change_user(flags, Json::object({{"disabled", verb == "disable"}}));
  if (verb == "role")
    return change_user(flags, Json::object({{"role", flags.words.size() > 2 ? flags.words[2] : std::string()}}));
  if (verb != "remove") return fail(Code::invalid, "\"" + verb + "\" is not known here; --help shows what is");
  TRY(needs_words(flags, 1));
  return send(flags, "DELETE", TRY(user_path(flags, flags.words[1])));
}

Result<void> create_token(const Flags& flags, const std::string& path) {
  TRY(needs_words(flags, 1));
  Json scopes = Json::array();
  std::istringstream named(flags.scopes);
  for (std::string scope; std::getline(named, scope, ',');) scopes.push(scope);
  Json body = Json::object({{"name", flags.words[1]}, {"scopes", std::move(scopes)}});
  const bool is_number =
      !flags.days.empty() && flags.days.size() <= 5 && flags.days.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number) return fail(Code::invalid, "--days: \"" + flags.days + "\" is not a number of days");
  const std::int64_t days = std::stoll(flags.days);
  if (days > 0) body.set("expiresAt", io::wall_time() / 1000 + days * 24 * 3600 * 1000);
  const Json made = TRY(ask_api({.data = flags.data, .method = "POST", .path = path, .body = std::move(body)}));
  std::printf("%s\n", std::string(made["token"].text()).c_str());
  return {};
}

Result<void> token_verb(const Flags& flags) {
  const std::string& verb = flags.words[0];
  if (flags.user.empty()) return fail(Code::invalid, "--user is missing: whose token it is");
  const std::string path = TRY(user_path(flags, flags.user)) + "/tokens";
  if (verb == "create") return create_token(flags, path);
  if (verb == "list") {
    print_list(flags, TRY(ask_api_list(flags.data, path)), {"id", "name", "scopes", "expiresAt", "usedAt"});
    return {};
  }
  if (verb != "revoke") return fail(Code::invalid, "\"" + verb + "\" is not known here; --help shows what is");
  TRY(needs_words(flags, 1));
  return send(flags, "DELETE", path + "/" + http::percent_encode(flags.words[1]));
}

Result<void> provider_verb(const Flags& flags) {
  const std::string& verb = flags.words[0];
  if (verb == "list") {
    print_list(flags, TRY(ask_api_list(flags.data, "/providers")), {"id", "kind", "name", "enabled"});
    return {};
  }
  if (verb == "remove") {
    TRY(needs_words(flags, 1));
    return send(flags, "DELETE", "/providers/" + http::percent_encode(flags.words[1]));
  }
  if (verb != "add") return fail(Code::invalid, "\"" + verb + "\" is not known here; --help shows what is");
  TRY(needs_words(flags, 2));
  auto settings = parse_json(TRY(io::read_file(flags.words[2], 1 << 20)));
  if (!settings) return fail(std::move(settings).error().within(flags.words[2]));
  Json body = Json::object({{"id", flags.words[1]}, {"settings", std::move(*settings)}});
  if (flags.from_stdin) body.set("secret", line_of_stdin());
  return send(flags, "POST", "/providers", std::move(body));
}

Result<void> setup_verb(const Flags& flags) {
  const Json made = TRY(ask_api({.data = flags.data, .method = "POST", .path = "/setup/token"}));
  std::printf("https://%s/setup#%s\n", flags.host.c_str(), std::string(made["token"].text()).c_str());
  return {};
}

int run(const std::vector<std::string>& arguments, std::string_view help, std::size_t words,
        Result<void> (*verb)(const Flags& flags)) {
  const auto flags = parse(arguments);
  if (flags && flags->help) {
    std::fputs(std::string(help).c_str(), stdout);
    return cli::kDone;
  }
  const bool usable = flags && flags->words.size() >= words && (words > 0 || flags->words.empty());
  if (!usable) {
    const std::string why = flags ? "--help shows what to write" : flags.error().text();
    std::fprintf(stderr, "%s\n", why.c_str());
    return cli::kBadUsage;
  }
  const auto done = verb(*flags);
  if (done) return cli::kDone;
  std::fprintf(stderr, "%s\n", done.error().text().c_str());
  return done.error().code == Code::invalid ? cli::kBadUsage : cli::kFailed;
}

}  // namespace

int run_setup_token(const std::vector<std::string>& arguments, const Environment&) {
  return run(arguments, kSetupHelp, 0, setup_verb);
}

int run_user(const std::vector<std::string>& arguments, const Environment&) {
  return run(arguments, kUserHelp, 1, user_verb);
}

int run_token(const std::vector<std::string>& arguments, const Environment&) {
  return run(arguments, kTokenHelp, 1, token_verb);
}

int run_provider(const std::vector<std::string>& arguments, const Environment&) {
  return run(arguments, kProviderHelp, 1, provider_verb);
}

}  // namespace berth::app
