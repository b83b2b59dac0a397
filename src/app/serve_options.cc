#include <charconv>
#include <functional>

#include "app/serve.h"
#include "app/static_tree.h"
#include "base/text.h"
#include "base/units.h"
#include "io/socket.h"

namespace berth::app {
namespace {

struct ServeFlag {
  std::string_view name;
  std::string_view value;  // placeholder, "" for a switch
  std::string_view help;
  Result<void> (*set)(ServeOptions&, std::string_view);
};

Result<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return fail(Code::invalid, "\"" + std::string(text) + "\" is not a port; write a number from 0 to 65535");
  return port;
}

Result<std::int64_t> connections_of(std::string_view text) {
  std::int64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || count < 1 || count > 100'000'000)
    return fail(Code::invalid, "\"" + std::string(text) + "\" is not a number from 1 to 100000000");
  return count;
}

Result<std::string> host_of(std::string_view text) {
  const bool odd = text.empty() || text.size() > 253 || text.front() == '.' || text.back() == '.' ||
                   text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") != std::string_view::npos;
  if (odd) return fail(Code::invalid, "\"" + std::string(text) + "\" is not a host name in lower case");
  return std::string(text);
}

constexpr std::int64_t kMostCache = std::int64_t{1} << 40;

constexpr ServeFlag kFlags[] = {
    {"--data", "DIR", "folder for certificates and state (default /var/lib/berth)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.data = value;
       return {};
     }},
    {"--listen", "ADDRESS", "IP addresses to listen on, divided by commas (default 127.0.0.1,::1)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.listen.clear();
       for (const auto part : split(value, ',')) options.listen.emplace_back(trim(part));
       return {};
     }},
    {"--web", "PORT", "port of plain HTTP, which redirects to TLS (default 80; 0: any free one)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.web = TRY(port_of(value));
       return {};
     }},
    {"--websecure", "PORT", "port of TLS (default 443; 0: any free one)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.websecure = TRY(port_of(value));
       return {};
     }},
    {"--host", "ADDRESS", "engine to follow (default: DOCKER_HOST, else unix:///var/run/docker.sock)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.host = value;
       return {};
     }},
    {"--access-log", "FILE", "one JSON line for each request (default: none)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.access_log = value;
       return {};
     }},
    {"--metrics", "ADDRESS", "where Prometheus fetches /metrics of the edge, such as 127.0.0.1:8082 (default: nowhere)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       TRY(io::Address::parse(value));
       options.metrics.emplace_back(value);
       return {};
     }},
    {"--static-config", "FILE", "YAML as Traefik's: keys that are used: see below",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       return merge_static_file(options.statics, std::string(value));
     }},
    {"--cache-size", "SIZE", "memory for stored replies of routes that cache (default 128m; 0: none)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.cache = TRY(parse_size(value));
       if (options.cache >= 0 && options.cache <= kMostCache) return {};
       return fail(Code::invalid, "\"" + std::string(value) + "\" is not a size from 0 to 1t");
     }},
    {"--max-connections", "N", "open connections of clients (default: half of the descriptors that the edge may have)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.connections = TRY(connections_of(value));
       return {};
     }},
    {"--max-client-connections", "N", "of one address, or /64 of IPv6 (default: an eighth of all, at most 10000)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.client_connections = TRY(connections_of(value));
       return {};
     }},
    {"--cache-disk", "SIZE", "files in DATA/edge/cache for those that are asked for again (default 0: none)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.cache_disk = TRY(parse_size(value));
       if (options.cache_disk >= 0 && options.cache_disk <= kMostCache) return {};
       return fail(Code::invalid, "\"" + std::string(value) + "\" is not a size from 0 to 1t");
     }},
    {"--edge-user", "USER", "account that the edge becomes, by name or number (default berth-edge, else nobody)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.edge_user = value;
       return {};
     }},
    {"--core-user", "USER", "account that core becomes and DATA belongs to (default berth, where it exists)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.core_user = value;
       return {};
     }},
    {"--broker-user", "USER", "account that the broker becomes (default berth-broker, where it exists)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.broker_user = value;
       return {};
     }},
    {"--only", "ROLE", "run edge or core alone; the other one meets it on --control",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       if (value != "edge" && value != "core")
         return fail(Code::invalid, "\"" + std::string(value) + "\" is no role of its own; write edge or core");
       options.only = value;
       return {};
     }},
    {"--control", "PATH", "socket on which an edge and a core of their own meet; the edge makes it",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.control = value;
       return {};
     }},
    {"--platform-host", "NAME", "host of the API and the UI (default berth.localhost)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.platform_host = TRY(host_of(value));
       return {};
     }},
    {"--store", "URL",
     "PostgreSQL for the store, remembered; sqlite: the file again (default BERTH_STORE, else DATA/berth.db)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.store = value;
       return {};
     }},
    {"--setup-remote", "", "let other machines reach it before the first admin exists (prints the CA's fingerprint)",
     [](ServeOptions& options, std::string_view) -> Result<void> {
       options.setup_remote = true;
       return {};
     }},
    {"--broker", "PATH", "with --only core: socket of a berth broker (policy core) before the engine that --host names",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.broker = value;
       return {};
     }},
    {"--edge-in", "WHERE",
     "with --only core: host, where the edge has the network of the engine's host and core has "
     "not, or the edge's container, which is then connected to networks",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.edge_in = value;
       return {};
     }},
    {"--broker-folder", "DIR",
     "policies and grants of the broker (default /etc/berth/broker.d; without root DATA/broker.d)",
     [](ServeOptions& options, std::string_view value) -> Result<void> {
       options.broker_folder = value;
       return {};
     }},
    {"--tracing", "", "give requests without a right traceparent or X-Request-Id one of their own",
     [](ServeOptions& options, std::string_view) -> Result<void> {
       options.tracing = true;
       return {};
     }},
    {"--expose-all", "", "as --providers.docker.exposedByDefault=true: route containers without traefik.enable too",
     [](ServeOptions& options, std::string_view) -> Result<void> {
       return set_static(options.statics, "providers.docker.exposedByDefault", "true");
     }},
};

Result<void> read_static_flag(Json& tree, std::string_view argument) {
  const Cut parts = cut(argument.substr(2), '=');
  return set_static(tree, parts.before, parts.found ? parts.after : "true");
}

const ServeFlag* find_flag(std::string_view name) {
  for (const auto& flag : kFlags)
    if (flag.name == name) return &flag;
  return nullptr;
}

Result<void> check_together(const ServeOptions& options) {
  if (options.data.empty() || options.data[0] != '/')
    return fail(Code::invalid, "--data: \"" + options.data + "\" is not an absolute path");
  if (options.only.empty() != options.control.empty())
    return fail(Code::invalid, "--only and --control go together: each says where the other role is met");
  for (const auto& [flag, value] : {std::pair{"--edge-in", &options.edge_in}, {"--broker", &options.broker}})
    if (!value->empty() && options.only != "core")
      return fail(Code::invalid, std::string(flag) + " goes with --only core");
  if (!options.broker.empty() && options.broker[0] != '/')
    return fail(Code::invalid, "--broker: \"" + options.broker + "\" is not an absolute path");
  if (!options.control.empty() && options.control[0] != '/')
    return fail(Code::invalid, "--control: \"" + options.control + "\" is not an absolute path");
  return {};
}

}  // namespace

Result<ServeOptions> parse_serve(const std::vector<std::string>& arguments) {
  ServeOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (is_static_flag(arguments[i])) {
      TRY(read_static_flag(options.statics, arguments[i]));
      continue;
    }
    const Cut parts = cut(arguments[i], '=');
    const ServeFlag* flag = find_flag(parts.before);
    if (!flag) {
      std::vector<std::string_view> names;
      for (const auto& known : kFlags) names.push_back(known.name);
      return fail(Code::invalid, "unknown flag \"" + arguments[i] + "\"" + suggestion(parts.before, names) +
                                     "; berth serve --help lists them");
    }
    std::string_view value = parts.after;
    if (!flag->value.empty() && !parts.found) {
      if (++i == arguments.size()) return fail(Code::invalid, std::string(flag->name) + " needs a value");
      value = arguments[i];
    }
    auto set = flag->set(options, value);
    if (!set) return fail(std::move(set.error()).within(flag->name));
  }
  TRY(check_together(options));
  return options;
}

std::string serve_help() {
  std::string out =
      "Usage: berth serve [FLAGS]\n\n"
      "Follows the engine and serves the containers that carry Traefik labels, over TLS with certificates of a local\n"
      "CA (berth cert root prints it). Runs until SIGTERM or Ctrl-C.\n\nFlags:\n";
  for (const auto& flag : kFlags) {
    std::string left = "  " + std::string(flag.name) + (flag.value.empty() ? "" : " " + std::string(flag.value));
    left.resize(std::max<std::size_t>(left.size() + 2, 26), ' ');
    out += left + std::string(flag.help) + "\n";
  }
  out +=
      "\nCertificates of a CA by ACME, for routers with tls.certresolver=letsencrypt (or another name), as Traefik has "
      "it:\n"
      "  --certificatesresolvers.letsencrypt.acme.email=ADDRESS\n"
      "  --certificatesresolvers.letsencrypt.acme.httpchallenge.entrypoint=web\n"
      "Further keys of acme: caServer, keyType, eab.kid, eab.hmacEncoded, tlsChallenge, dnsChallenge.provider,\n"
      "dnsChallenge.delayBeforeCheck, caCertificates, fallback.\n";
  out +=
      "\nEntry points for TCP and UDP routers, beside web and websecure; also proxyProtocol.trustedIPs of those two:\n"
      "  --entrypoints.postgres.address=:5432    --entrypoints.dns.address=:53/udp\n"
      "\nWhich containers count, and the rule of those whose labels have none:\n"
      "  --providers.docker.exposedByDefault=true    --providers.docker.network=NAME\n"
      "  --providers.docker.constraints='Label(`tier`, `public`) && !LabelRegex(`name`, `^test`)'\n"
      "  --providers.docker.defaultRule='Host(`{{ normalize .Name }}.example.com`)'\n"
      "\n--static-config takes all of these as YAML: certificatesResolvers, entryPoints, providers.docker, "
      "tls.options.\n";
  return out;
}

std::string encode_core(const CoreOptions& options) {
  return Json::object({{"data", options.data},
                       {"engine", options.engine},
                       {"supervisor", options.supervisor},
                       {"door", options.door},
                       {"https_port", options.https_port},
                       {"tracing", options.tracing},
                       {"connections", options.connections},
                       {"client_connections", options.client_connections},
                       {"control", options.control},
                       {"broker", options.broker},
                       {"broker_folder", options.broker_folder},
                       {"edge_in", options.edge_in},
                       {"edge", options.edge},
                       {"platform_host", options.platform_host},
                       {"setup_remote", options.setup_remote},
                       {"account", options.account}})
      .dump();
}

Result<CoreOptions> decode_core(const std::string& text) {
  const Json json = TRY(parse_json(text));
  return CoreOptions{.data = std::string(json["data"].text()),
                     .engine = std::string(json["engine"].text()),
                     .broker = std::string(json["broker"].text()),
                     .broker_folder = std::string(json["broker_folder"].text()),
                     .supervisor = static_cast<int>(json["supervisor"].integer(-1)),
                     .door = static_cast<int>(json["door"].integer(-1)),
                     .https_port = static_cast<std::uint16_t>(json["https_port"].integer(443)),
                     .tracing = json["tracing"].boolean(),
                     .connections = json["connections"].integer(),
                     .client_connections = json["client_connections"].integer(),
                     .control = std::string(json["control"].text()),
                     .edge_in = std::string(json["edge_in"].text()),
                     .edge = std::string(json["edge"].text()),
                     .platform_host = std::string(json["platform_host"].text()),
                     .setup_remote = json["setup_remote"].boolean(),
                     .account = std::string(json["account"].text())};
}

}  // namespace berth::app
