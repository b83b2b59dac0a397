// `berth broker`: a socket with a policy in front of an engine, and its grants.
#include <csignal>
#include <cstdio>

#include "app/arguments.h"
#include "app/broker_files.h"
#include "app/broker_role.h"
#include "app/grant_audit.h"
#include "app/verbs.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "engine/address.h"
#include "io/file.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth broker [--policy NAME|FILE] --listen ADDRESS ... [FLAGS]\n"
    "       berth broker --from-environment --listen ADDRESS [FLAGS]\n"
    "       berth broker policies [--format table|json]\n"
    "       berth broker grant PROJECT FIELD [--folder DIR] [--data DIR]\n"
    "       berth broker revoke PROJECT FIELD [--folder DIR] [--data DIR]\n"
    "       berth broker grants [--folder DIR] [--format table|json]\n\n"
    "Stands between clients and an engine and passes on what a policy allows. Each --listen has the --policy before\n"
    "it. Policies are berth's own, or root's files NAME.yaml; SIGHUP reads them again. Denials are lines of JSON.\n"
    "grant gives one Compose project what berth serve's own policy withholds, revoke takes it back; the audit log of "
    "the\n"
    "store in DIR has both.\n\n"
    "Flags:\n"
    "  --policy NAME       monitor (default), traefik, deploy, ci, operate, core, or a file\n"
    "  --listen ADDRESS    unix:PATH[,mode=0660][,group=NAME], mtls:IP:PORT, or tcp:IP:PORT on loopback or\n"
    "                      on internal networks of a container\n"
    "  --engine ADDRESS    engine (default: DOCKER_HOST, else unix:///var/run/docker.sock)\n"
    "  --from-environment  the policy is that of docker-socket-proxy's variables: CONTAINERS=1, POST=0, ...\n"
    "  --bind DIR          folder that containers may bind, with what is below; may be repeated\n"
    "  --certificate FILE  of mtls, PEM\n"
    "  --key FILE          of mtls, PEM\n"
    "  --client-ca FILE    roots that sign clients' certificates, PEM\n"
    "  --log FILE          denials (default: stderr)\n"
    "  --folder DIR        policies and grants (default /etc/berth/broker.d)\n"
    "  --data DIR          data folder of the berth serve that is told of a grant (default /var/lib/berth)\n"
    "  --format FORMAT     table or json (default table)\n";

struct Flags {
  BrokerOptions options{.folder = std::string(kBrokerFolder)};
  std::vector<std::string> words{};
  std::string policy = "monitor", data = "/var/lib/berth";
  bool from_environment = false, help = false, json = false;
};

Result<BrokerListen> listen_of(std::string_view text, const std::string& policy) {
  BrokerListen out{.policy = policy};
  const auto parts = split(text, ',');
  out.address = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Cut option = cut(parts[i], '=');
    if (option.before == "group") {
      out.group = option.after;
    } else if (option.before == "mode" && option.after.size() == 4 && option.after[0] == '0' &&
               option.after.find_first_not_of("01234567") == std::string_view::npos) {
      out.mode = (option.after[1] - '0') * 64 + (option.after[2] - '0') * 8 + (option.after[3] - '0');
    } else {
      return fail(Code::invalid, "\"" + std::string(parts[i]) + "\" is not mode=0660 or group=NAME");
    }
  }
  return out;
}

bool take_text(Arguments& arguments, Flags& flags) {
  const std::pair<const char*, std::string*> texts[] = {{"--policy", &flags.policy},
                                                        {"--engine", &flags.options.engine},
                                                        {"--log", &flags.options.log},
                                                        {"--certificate", &flags.options.certificate},
                                                        {"--key", &flags.options.key},
                                                        {"--folder", &flags.options.folder},
                                                        {"--client-ca", &flags.options.client_ca},
                                                        {"--data", &flags.data}};
  for (const auto& [name, text] : texts) {
    if (auto value = arguments.value(name)) {
      *text = *value;
      return true;
    }
  }
  return false;
}

Result<void> take(Arguments& arguments, Flags& flags) {
  if (take_text(arguments, flags)) return {};
  const std::string& word = arguments.word();
  if (auto listen = arguments.value("--listen")) {
    flags.options.listen.push_back(TRY(listen_of(*listen, flags.policy)));
  } else if (auto root = arguments.value("--bind")) {
    flags.options.roots.push_back(*root);
  } else if (const auto format = arguments.value("--format"); format && (*format == "json" || *format == "table")) {
    flags.json = *format == "json";
  } else if (word == "--from-environment") {
    flags.from_environment = true;
  } else if (word == "-h" || word == "--help") {
    flags.help = true;
  } else if (word.starts_with('-')) {
    return fail(Code::invalid, "\"" + word + "\" is not known here; berth broker --help shows what is");
  } else {
    flags.words.push_back(word);
  }
  return {};
}

Result<Flags> parse(const std::vector<std::string>& words) {
  Flags flags;
  Arguments arguments(words);
  while (arguments.next()) TRY(take(arguments, flags));
  return flags;
}

// "containers.list" of each policy that allows it.
int print_policies(bool json) {
  Json all = Json::object();
  for (const auto& named : broker::named_policies()) {
    const auto policy = broker::named_policy(named.name);
    Json allowed = Json::array();
    for (const broker::Operation& each : broker::operations())
      if (policy && policy->allows(each)) allowed.push(each.name);
    if (!json) {
      std::printf("%s: %s\n", std::string(named.name).c_str(), std::string(named.purpose).c_str());
      for (const Json& each : allowed.items()) std::printf("  %s\n", std::string(each.text()).c_str());
    }
    all.set(named.name, std::move(allowed));
  }
  if (json) std::printf("%s\n", all.dump(2).c_str());
  return cli::kDone;
}

int print_grants(const std::vector<broker::Exception>& grants, bool json) {
  if (json) return std::fputs(broker::exceptions_text(grants).c_str(), stdout) < 0;
  for (const auto& each : grants) std::printf("%-24s %s\n", each.project.c_str(), each.field.c_str());
  return cli::kDone;
}

// Whether a broker was told. The pid in the file may be another program's by now.
bool tell(const std::string& data) {
  const auto text = io::read_file(data + "/broker.pid", 64);
  const int pid = text ? std::atoi(text->c_str()) : 0;
  if (pid <= 1) return false;
  const auto words = io::read_front("/proc/" + std::to_string(pid) + "/cmdline", 4096);
  return words && words->contains(std::string_view("\0broker\0", 8)) && ::kill(pid, SIGHUP) == 0;
}

Result<int> change_grants(const Flags& flags, const Environment& environment) {
  const std::string& verb = flags.words[0];
  auto grants = TRY(load_grants(flags.options.folder));
  if (verb == "grants") return print_grants(grants, flags.json);
  if (flags.words.size() != 3) return fail(Code::invalid, "berth broker " + verb + " needs a project and a field");
  const broker::Exception change{flags.words[1], flags.words[2]};
  if (!broker::is_name(change.project)) return fail(Code::invalid, "\"" + change.project + "\" is no project's name");
  TRY(broker::check_grant(change.field));
  const auto removed = std::erase(grants, change);
  if (verb == "grant") grants.push_back(change);
  if (verb == "revoke" && removed == 0)
    return fail(Code::not_found, change.project + " was not granted " + change.field);
  const GrantChange both{verb, change, TRY(load_grants(flags.options.folder)), std::move(grants)};
  const bool told = TRY(keep_grants(flags.options.folder, both, {.data = flags.data}, environment));
  if (!told) std::fprintf(stderr, "berth broker: %s has no store: no audit log has this\n", flags.data.c_str());
  if (!tell(flags.data))
    std::fprintf(stderr,
                 "berth broker: no broker of %s is running; one that runs as a unit or container of its own heeds this "
                 "after SIGHUP (systemctl reload berth-broker)\n",
                 flags.data.c_str());
  return cli::kDone;
}

Result<int> serve(Flags flags, const Environment& environment) {
  BrokerOptions& options = flags.options;
  if (!flags.words.empty()) return fail(Code::invalid, "\"" + flags.words[0] + "\" is no verb of berth broker");
  if (options.listen.empty()) return fail(Code::invalid, "berth broker needs --listen ADDRESS");
  if (flags.from_environment)
    for (BrokerListen& each : options.listen) each.policy.clear();
  const auto host = environment.find("DOCKER_HOST");
  if (options.engine.empty()) options.engine = host == environment.end() ? engine::kDefaultAddress : host->second;
  return run_broker(options, environment);
}

int complain(const Error& error) {
  std::fprintf(stderr, "berth broker: %s\n", error.text().c_str());
  return error.code == Code::invalid ? cli::kBadUsage : cli::kFailed;
}

}  // namespace

int run_broker_verb(const std::vector<std::string>& arguments, const Environment& environment) {
  if (arguments.size() == 1 && arguments[0].starts_with('{')) {  // as the supervisor starts it
    const auto options = decode_broker(arguments[0]);
    if (!options) return complain(options.error());
    const auto status = run_broker(*options, environment);
    return status ? *status : complain(status.error());
  }
  auto flags = parse(arguments);
  if (!flags) return complain(flags.error());
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  const std::string verb = flags->words.empty() ? "" : flags->words[0];
  if (verb == "policies") return print_policies(flags->json);
  const bool grants = verb == "grant" || verb == "revoke" || verb == "grants";
  const auto status = grants ? change_grants(*flags, environment) : serve(*std::move(flags), environment);
  return status ? *status : complain(status.error());
}

}  // namespace berth::app
