#include <algorithm>
#include <array>
#include <cstdio>

#include "app/verbs.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "edge/path.h"
#include "edge/tcp_snapshot.h"
#include "http/url.h"
#include "io/file.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth route list [--data DIR] [--format table|json]\n"
    "       berth route explain URL [--data DIR] [--method METHOD] [--entrypoint NAME]\n"
    "       berth route pause|stop|resume NAME [FLAGS]; berth route pause --help tells more\n\n"
    "list shows the routers that berth serve reads from labels, where each leads, and what is wrong with the others;\n"
    "explain says which router gets a request for URL, why the others do not, and where it leads. The URL\n"
    "tls://HOST is a TLS connection that names HOST, tcp://ANY one without TLS, to an entry point.\n\n"
    "Flags:\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --format FORMAT  table or json (default table)\n"
    "  --method METHOD  of the request to explain (default GET)\n"
    "  --entrypoint NAME  of the connection to explain (default websecure)\n";

struct RouteFlags {
  bool list = false;
  bool explain = false;
  std::string url, method = "GET", entry_point = "websecure";
  bool help = false;
  bool json = false;
  std::string data = "/var/lib/berth";
};

/// What stands without a flag: list, explain, and the URL behind it. False when it is none of them.
bool take_word(RouteFlags& flags, const std::string& word) {
  if (word.starts_with("-")) return false;
  if (flags.explain && flags.url.empty()) {
    flags.url = word;
    return true;
  }
  if (flags.list || flags.explain) return false;
  flags.list = word == "list";
  flags.explain = word == "explain";
  return flags.list || flags.explain;
}

Result<void> check(const RouteFlags& flags) {
  if (flags.help) return {};
  if (flags.explain && flags.url.empty()) return fail(Code::invalid, "say which: berth route explain URL");
  if (flags.list || flags.explain) return {};
  return fail(Code::invalid, "say what: berth route list, or berth route explain URL");
}

Result<RouteFlags> parse(const std::vector<std::string>& arguments) {
  RouteFlags out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string argument = arguments[i];
    const auto value = [&](std::string_view flag) -> std::optional<std::string> {
      if (argument.starts_with(std::string(flag) + "=")) return argument.substr(flag.size() + 1);
      if (argument == flag && i + 1 < arguments.size()) return arguments[++i];
      return std::nullopt;
    };
    if (take_word(out, argument)) continue;
    if (argument == "-h" || argument == "--help") {
      out.help = true;
    } else if (const auto method = value("--method")) {
      out.method = *method;
    } else if (const auto entry_point = value("--entrypoint")) {
      out.entry_point = lower(*entry_point);
    } else if (const auto data = value("--data")) {
      out.data = *data;
    } else if (const auto format = value("--format"); format && (*format == "json" || *format == "table")) {
      out.json = *format == "json";
    } else {
      return fail(Code::invalid, "\"" + argument + "\" is not known here; berth route --help shows what is");
    }
  }
  TRY(check(out));
  return out;
}

std::string targets_of(const edge::Service& service) {
  std::string out;
  for (const edge::Upstream& each : service.upstreams)
    out += (out.empty() ? "" : ", ") + each.target + " " + each.host + ":" + std::to_string(each.port);
  return out.empty() ? "down: " + service.down : out;
}

std::string targets(const Json& status, std::string_view service) {
  for (const Json& candidate : status["services"].items()) {
    if (candidate["name"].text() != service) continue;
    std::string out;
    for (const Json& upstream : candidate["upstreams"].items())
      out += (out.empty() ? "" : ", ") + std::string(upstream["target"].text()) + " " +
             std::string(upstream["host"].text()) + ":" + std::to_string(upstream["port"].integer());
    if (out.empty()) out = "down: " + std::string(candidate["down"].text());
    const std::string held(candidate["held"].text());
    return held.empty() ? out : out + " (" + held + ")";
  }
  return "";
}

using Row = std::array<std::string, 3>;

/// TCP and UDP routers: their entry points stand with the rule.
void add_tcp_rows(const edge::TcpConfig& config, std::vector<Row>& rows) {
  for (const edge::TcpRoute& route : config.routes) {
    const auto service = std::ranges::find_if(
        config.services, [&](const edge::TcpService& each) { return each.servers.name == route.service; });
    if (service == config.services.end()) continue;
    rows.push_back(
        {route.name, "tcp " + join(route.entry_points, ",") + " " + route.rule, targets_of(service->servers)});
  }
  for (const edge::UdpRoute& route : config.udp_routes) {
    const auto service = std::ranges::find(config.udp_services, route.service, &edge::Service::name);
    if (service == config.udp_services.end()) continue;
    rows.push_back({route.name, "udp " + join(route.entry_points, ","), targets_of(*service)});
  }
}

void print_table(const Json& status) {
  std::vector<Row> rows{{"NAME", "RULE", "TARGETS"}};
  for (const Json& route : status["routes"].items())
    rows.push_back({std::string(route["name"].text()), std::string(route["rule"].text()),
                    targets(status, route["service"].text())});
  if (const auto tcp = edge::decode_tcp(status["tcp"])) add_tcp_rows(*tcp, rows);
  std::size_t name = 0, rule = 0;
  for (const Row& row : rows) {
    name = std::max(name, row[0].size());
    rule = std::max(rule, row[1].size());
  }
  for (const Row& row : rows)
    std::printf("%-*s  %-*s  %s\n", static_cast<int>(name), row[0].c_str(), static_cast<int>(rule), row[1].c_str(),
                row[2].c_str());
  for (const Json& note : status["notes"].items()) std::fprintf(stderr, "%s\n", std::string(note.text()).c_str());
}

/// The table as the edge has it, rebuilt from what core wrote down.
Result<std::shared_ptr<const edge::Routes>> table_of(const Json& status) {
  std::vector<edge::Route> routes;
  std::vector<edge::Service> services;
  for (const Json& json : status["routes"].items()) {
    edge::Route route{.name = std::string(json["name"].text()),
                      .rule = std::string(json["rule"].text()),
                      .priority = static_cast<int>(json["priority"].integer()),
                      .listeners = {},
                      .service = std::string(json["service"].text())};
    for (const Json& listener : json["listeners"].items())
      route.listeners.push_back(listener.text() == "web" ? edge::Listener::web : edge::Listener::websecure);
    routes.push_back(std::move(route));
  }
  for (const Json& json : status["services"].items()) {
    edge::Service service{.name = std::string(json["name"].text()),
                          .upstreams = {},
                          .pass_host = true,
                          .down = std::string(json["down"].text())};
    // Only whether there is one: where they are is printed from the status.
    if (json["upstreams"].size() > 0 || json.contains("group"))
      service.upstreams.push_back({.host = "::", .target = ""});
    services.push_back(std::move(service));
  }
  return edge::Routes::build(std::move(routes), std::move(services));
}

void print_winner(const Json& status, const edge::Routes::Entry& entry) {
  std::printf("\n%s decides\n", entry.route.name.c_str());
  for (const Json& route : status["routes"].items()) {
    if (route["name"].text() != entry.route.name) continue;
    for (const Json& each : route["middlewares"].items())
      std::printf("  middleware  %s\n", std::string(each.text()).c_str());
    for (const Json& each : route["warnings"].items())
      std::printf("  warning     %s\n", std::string(each.text()).c_str());
  }
  std::printf("  service     %s\n  targets     %s\n", entry.route.service.c_str(),
              targets(status, entry.route.service).c_str());
}

/// A connection in place of a request: tls://HOST or tcp://ANY.
Result<int> explain_connection(const Json& status, const RouteFlags& flags) {
  const bool tls = flags.url.starts_with("tls://");
  const auto table = TRY(edge::TcpTable::build(TRY(edge::decode_tcp(status["tcp"]))));
  const std::string host = tls ? TRY(edge::canonical_host(std::string_view(flags.url).substr(6))) : std::string();
  const edge::RequestFacts facts{.host = host,
                                 .method = {},
                                 .path = {},
                                 .query = {},
                                 .client = edge::parse_ip("127.0.0.1").value(),
                                 .headers = nullptr};
  std::printf("%s on %s\n%s", flags.url.c_str(), flags.entry_point.c_str(),
              table->explain(flags.entry_point, tls, facts).c_str());
  const edge::TcpTable::Place* place = table->place(flags.entry_point);
  const auto* entry = place ? edge::TcpTable::find(tls ? place->secure : place->plain, facts) : nullptr;
  if (!entry) {
    std::puts(tls && flags.entry_point == "websecure" ? "\nHTTP routers decide" : "\nthe edge closes the connection");
    return cli::kFailed;
  }
  std::printf("\n%s decides\n", entry->route.name.c_str());
  for (const edge::TcpMiddleware& each : entry->route.middlewares) std::printf("  middleware  %s\n", each.name.c_str());
  for (const std::string& each : entry->route.warnings) std::printf("  warning     %s\n", each.c_str());
  std::printf("  service     %s\n  targets     %s\n", entry->route.service.c_str(),
              targets_of(entry->service->servers).c_str());
  return cli::kDone;
}

Result<int> explain(const Json& status, const RouteFlags& flags) {
  if (flags.url.starts_with("tls://") || flags.url.starts_with("tcp://")) return explain_connection(status, flags);
  const auto url = TRY(http::parse_url(flags.url.contains("://") ? flags.url : "https://" + flags.url));
  std::string storage;
  const std::string path(TRY(edge::canonical_path(url.path, storage)));
  const auto routes = TRY(table_of(status));
  const auto listener = url.scheme == "http" ? edge::Listener::web : edge::Listener::websecure;
  const edge::RequestFacts facts{.host = url.host,
                                 .method = flags.method,
                                 .path = path,
                                 .query = url.query,
                                 .client = edge::parse_ip("127.0.0.1").value(),
                                 .headers = nullptr};
  std::printf("%s %s on %s\n%s", flags.method.c_str(), path.c_str(), std::string(edge::to_text(listener)).c_str(),
              routes->explain(listener, facts).c_str());
  if (const auto* entry = routes->find(listener, facts)) {
    print_winner(status, *entry);
    return cli::kDone;
  }
  const bool redirected = listener == edge::Listener::web && routes->find(edge::Listener::websecure, facts);
  std::puts(redirected ? "\nthe edge redirects to https" : "\nthe edge answers 404");
  return redirected ? cli::kDone : cli::kFailed;
}

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth route: %s\n", error.text().c_str());
  return status;
}

}  // namespace

int run_route(const std::vector<std::string>& arguments, const Environment& environment) {
  static constexpr std::string_view kHolds[] = {"pause", "stop", "resume"};
  if (!arguments.empty() && std::ranges::count(kHolds, arguments[0])) return run_hold(arguments, environment);
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error(), cli::kBadUsage);
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  const auto text = io::read_file(flags->data + "/status.json");
  if (!text)
    return complain(Error{text.error().code, text.error().message + "; is berth serve running with this --data?"},
                    cli::kFailed);
  const auto status = parse_json(*text);
  if (!status) return complain(status.error(), cli::kFailed);
  if (flags->explain) {
    const auto explained = explain(*status, *flags);
    return explained ? *explained : complain(explained.error(), cli::kFailed);
  }
  if (flags->json)
    std::printf("%s\n", status->dump(2).c_str());
  else
    print_table(*status);
  return cli::kDone;
}

}  // namespace berth::app
