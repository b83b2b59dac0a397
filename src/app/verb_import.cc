// `berth import traefik acme.json`: certificates and accounts of Traefik for the edge.
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <optional>

#include "app/arguments.h"
#include "app/verbs.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "edge/acme_import.h"
#include "io/file.h"
#include "io/process.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth import traefik FILE [--data DIR] [--resolver NAME] [--ca-server URL] [-y]\n\n"
    "Takes the certificates and accounts of Traefik's acme.json into the data folder of berth serve, which then "
    "serves\n"
    "those certificates, also when it runs already, and renews them when they are due. Asks before it replaces one.\n\n"
    "Flags:\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --resolver NAME  resolver of a file of Traefik 1, which names none\n"
    "  --ca-server URL  directory of the accounts' CA, where it is not Let's Encrypt\n"
    "  -y, --yes        replace without asking\n";

struct ImportFlags {
  std::string file, data = "/var/lib/berth";
  edge::AcmeImportOptions options;
  bool yes = false, help = false;
};

/// "traefik", then the file. False for anything else.
bool take_word(ImportFlags& flags, bool& traefik, const std::string& word) {
  if (word.starts_with('-') || !flags.file.empty()) return false;
  if (traefik) flags.file = word;
  if (!traefik && word != "traefik") return false;
  traefik = true;
  return true;
}

Result<ImportFlags> parse(const std::vector<std::string>& arguments) {
  ImportFlags out;
  const std::pair<std::string_view, std::string*> values[] = {
      {"--data", &out.data}, {"--resolver", &out.options.resolver}, {"--ca-server", &out.options.directory}};
  bool traefik = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Cut parts = cut(arguments[i], '=');
    const auto known = std::ranges::find(values, parts.before, &std::pair<std::string_view, std::string*>::first);
    if (known != std::end(values)) {
      if (!parts.found && i + 1 == arguments.size()) return fail(Code::invalid, arguments[i] + " needs a value");
      *known->second = parts.found ? std::string(parts.after) : arguments[++i];
    } else if (arguments[i] == "-y" || arguments[i] == "--yes") {
      out.yes = true;
    } else if (arguments[i] == "-h" || arguments[i] == "--help") {
      out.help = true;
    } else if (take_word(out, traefik, arguments[i])) {
      continue;
    } else {
      return fail(Code::invalid, "\"" + arguments[i] + "\" is not known here; berth import --help shows what is");
    }
  }
  if (!out.help && out.file.empty()) return fail(Code::invalid, "say which file: berth import traefik acme.json");
  return out;
}

bool may_replace(const std::string& what, bool yes) {
  if (yes) return true;
  if (!io::is_terminal(STDIN_FILENO)) return false;
  return agreed(what + " Replace it? [y/N] ");
}

std::string day_of(std::chrono::sys_seconds time) {
  const std::time_t count = time.time_since_epoch().count();
  std::tm parts{};
  char text[16] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d", gmtime_r(&count, &parts));
  return text;
}

/// One file's import; counts what was left out.
class Importer {
 public:
  Importer(edge::AcmeStore store, const ImportFlags& flags) : store_(std::move(store)), flags_(flags) {}

  /// How many things could not be taken.
  int run(const edge::AcmeImport& import) {
    for (const std::string& fault : import.faults) leave_out(flags_.file + ": " + fault);
    for (const auto& account : import.accounts) take(account);
    for (const auto& item : import.certificates) take(item);
    return left_out_;
  }

 private:
  void leave_out(const std::string& why) {
    std::fprintf(stderr, "berth import: %s\n", why.c_str());
    ++left_out_;
  }

  void take(const edge::AcmeImport::Account& item) {
    const auto done = store_.import_account(item.resolver, item.account);
    if (!done) return leave_out(flags_.file + ": " + item.place + ": " + done.error().message + ", which stays");
    std::printf("account of %s at %s\n", item.resolver.email.c_str(), item.resolver.directory.c_str());
  }

  void take(const edge::AcmeImport::Item& item) {
    const std::string id = edge::id_of(item.wanted), names = join(item.wanted.hosts, ", ");
    const std::string until = day_of(item.certificate.not_after);
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (item.certificate.not_after <= now)
      return leave_out(flags_.file + ": " + item.place + ": the certificate of " + names + " ran out on " + until);
    if (const auto kept = store_.certificate(id)) {
      if (kept->chain == item.certificate.chain) return void(std::printf("%s: is there\n", names.c_str()));
      const std::string there =
          names + ": there is one until " + day_of(kept->not_after) + " already, this one is until " + until + ".";
      if (!may_replace(there, flags_.yes)) return leave_out(there + " It stays; use --yes to replace it");
    }
    if (auto saved = save(id, item); !saved) return leave_out(saved.error().message);
    std::printf("%s: until %s, resolver %s\n", names.c_str(), until.c_str(), item.wanted.resolver.c_str());
  }

  Result<void> save(const std::string& id, const edge::AcmeImport::Item& item) {
    TRY(store_.save(id, item.certificate));
    return store_.save(
        id,
        edge::AcmeState{.hosts = item.wanted.hosts, .resolver = item.wanted.resolver, .issuer = item.wanted.resolver});
  }

  edge::AcmeStore store_;
  const ImportFlags& flags_;
  int left_out_ = 0;
};

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth import: %s\n", error.text().c_str());
  return status;
}

Result<int> import(const ImportFlags& flags) {
  const std::string text = TRY(io::read_file(flags.file));
  auto read = edge::read_acme_json(text, flags.options);
  if (!read) return fail(Code::invalid, flags.file + ":" + read.error().message);
  TRY(io::make_folder(flags.data, 0700));
  const auto store = TRY(edge::AcmeStore::open(flags.data + "/acme"));
  const int left_out = Importer(store, flags).run(*read);
  TRY(store.announce_import());
  return left_out == 0 ? cli::kDone : cli::kFailed;
}

}  // namespace

int run_import(const std::vector<std::string>& arguments, const Environment&) {
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error(), cli::kBadUsage);
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  const auto status = import(*flags);
  return status ? *status : complain(status.error(), cli::kFailed);
}

}  // namespace berth::app
