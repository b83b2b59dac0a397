#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/arguments.h"
#include "app/cert_list.h"
#include "app/verbs.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "edge/certificate_store.h"
#include "io/file.h"
#include "io/process.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth cert list [--data DIR] [--format table|json]\n"
    "       berth cert renew [--data DIR] [--force] [HOST...]\n"
    "       berth cert root [--data DIR]\n"
    "       berth cert trust [--data DIR] [-y]\n\n"
    "list shows who signed which certificate, until when, and what went wrong with orders.\n"
    "renew has berth serve order now what failed or is due, of all hosts or of those named.\n"
    "root prints the root certificates of the local CA as PEM: what clients must trust, for example\n"
    "  berth cert root >ca.pem; curl --cacert ca.pem https://hello.localhost/\n"
    "trust shows fingerprint and constraints of each root, asks, and adds it to the system's trust store.\n\n"
    "Flags:\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --force          renew what is still good too\n"
    "  --format FORMAT  table or json (default table)\n"
    "  -y, --yes        do not ask\n";

constexpr const char* kSystemFolder = "/usr/local/share/ca-certificates";

struct CertFlags {
  std::string verb;
  std::string data = "/var/lib/berth";
  std::vector<std::string> hosts;
  bool json = false;
  bool force = false;
  bool yes = false;
  bool help = false;
};

constexpr std::string_view kVerbs[] = {"list", "renew", "root", "trust"};

Result<bool> is_json(std::string_view format) {
  if (format == "json" || format == "table") return format == "json";
  return fail(Code::invalid, "--format: \"" + std::string(format) + "\" is not known; use table or json");
}

Result<CertFlags> parse(const std::vector<std::string>& arguments) {
  CertFlags out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--data" && i + 1 < arguments.size()) {
      out.data = arguments[++i];
    } else if (argument.starts_with("--data=")) {
      out.data = argument.substr(7);
    } else if (argument == "-y" || argument == "--yes") {
      out.yes = true;
    } else if (argument == "-h" || argument == "--help") {
      out.help = true;
    } else if (argument == "--force") {
      out.force = true;
    } else if (argument == "--format" && i + 1 < arguments.size()) {
      out.json = TRY(is_json(arguments[++i]));
    } else if (argument.starts_with("--format=")) {
      out.json = TRY(is_json(argument.substr(9)));
    } else if (out.verb.empty() && std::ranges::count(kVerbs, argument) > 0) {
      out.verb = argument;
    } else if (out.verb == "renew" && !argument.starts_with('-')) {
      out.hosts.push_back(argument);
    } else {
      return fail(Code::invalid, "\"" + argument + "\" is not known here; berth cert --help shows what is");
    }
  }
  if (out.verb.empty() && !out.help) return fail(Code::invalid, "say what: berth cert list, renew, root or trust");
  return out;
}

Result<edge::CertificateStore> open_store(const std::string& data) {
  const std::string folder = data + "/certificates";
  if (!io::exists(folder + "/root.pem")) {
    // Another user's folder looks absent too: say which of both it is.
    const auto read = io::read_file(folder + "/root.pem");
    if (read.error().code == Code::denied) return fail(read.error());
    return fail(Code::not_found, folder + "/root.pem does not exist; start berth serve once, or name its --data");
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return edge::CertificateStore::open({.dir = folder}, now);
}

Result<void> describe(const edge::CertificateStore& store) {
  for (const auto& authority : store.authorities()) {
    std::fprintf(stderr, "root certificate %s\n  SHA-256 %s\n  can sign only for: %s, and loopback addresses\n",
                 store.root_path().c_str(), TRY(edge::fingerprint(authority.certificate)).c_str(),
                 join(authority.permitted, ", ").c_str());
  }
  return {};
}

bool confirmed(bool yes) {
  if (yes) return true;
  if (!io::is_terminal(STDIN_FILENO)) return false;
  return agreed("Add it to the trusted certificates of this system? [y/N] ");
}

Result<void> trust(const edge::CertificateStore& store) {
  TRY(io::make_folder(kSystemFolder));
  int number = 0;
  for (const auto& authority : store.authorities()) {
    const std::string name = number++ == 0 ? "berth" : "berth-" + authority.permitted.at(0);
    TRY(io::write_file(std::string(kSystemFolder) + "/" + name + ".crt", authority.certificate));
  }
  io::Loop loop;
  const auto output = TRY(loop.run(io::run_command({.argv = {"update-ca-certificates"}}, "")));
  if (output.status != 0) return fail(Code::internal, "update-ca-certificates failed", output.err);
  return {};
}

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth cert: %s\n", error.text().c_str());
  return status;
}

}  // namespace

int run_cert(const std::vector<std::string>& arguments, const Environment&) {
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error(), cli::kBadUsage);
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  if (flags->verb == "list" || flags->verb == "renew") {
    const auto done = flags->verb == "list" ? list_certificates(flags->data, flags->json)
                                            : renew_certificates(flags->data, flags->hosts, flags->force);
    return done ? cli::kDone : complain(done.error(), cli::kFailed);
  }
  const auto store = open_store(flags->data);
  if (!store) return complain(store.error(), cli::kFailed);
  if (flags->verb == "root") return std::fputs(store->roots().c_str(), stdout) < 0;
  if (auto described = describe(*store); !described) return complain(described.error(), cli::kFailed);
  if (!confirmed(flags->yes)) {
    std::fputs("Nothing was changed.\n", stderr);
    return flags->yes || io::is_terminal(STDIN_FILENO) ? cli::kDone : cli::kFailed;
  }
  if (auto trusted = trust(*store); !trusted) return complain(trusted.error(), cli::kFailed);
  std::fprintf(stderr, "Trusted. To undo: rm %s/berth*.crt && update-ca-certificates --fresh\n", kSystemFolder);
  return cli::kDone;
}

}  // namespace berth::app
