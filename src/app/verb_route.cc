#include <algorithm>
#include <array>
#include <cstdio>

#include "app/route_explain.h"
#include "app/verbs.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "edge/tcp_snapshot.h"
#include "io/file.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth route list [--data DIR] [--format table|json]\n"
    "       berth route explain URL [--data DIR] [--method METHOD] [--header 'NAME: VALUE']... [--from ADDRESS]\n"
    "                           [--entrypoint NAME] [--format table|json]\n"
    "       berth route pause|stop|resume NAME [FLAGS]; berth route pause --help tells more\n\n"
    "list shows the routers that berth serve reads from labels, where each leads, and what is wrong with the others;\n"
    "explain says which router gets a request for URL, why the others do not, and where it leads. The URL\n"
    "tls://HOST is a TLS connection that names HOST, tcp://ANY one without TLS, to an entry point.\n\n"
    "Flags:\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --format FORMAT  table or json (default table)\n"
    "  --method METHOD  of the request to explain (default GET)\n"
    "  --header 'NAME: VALUE'  a field of it; may be given again\n"
    "  --from ADDRESS   of its client, for ClientIP (default 127.0.0.1)\n"
    "  --entrypoint NAME  of the connection to explain (default websecure)\n";

struct RouteFlags {
  bool list = false;
  bool explain = false;
  Asked asked;
  bool help = false;
  std::string data = "/var/lib/berth", format = "table";
};

/// What stands without a flag: list, explain, and the URL behind it. False when it is none of them.
bool take_word(RouteFlags& flags, const std::string& word) {
  if (word.starts_with("-")) return false;
  if (flags.explain && flags.asked.url.empty()) {
    flags.asked.url = word;
    return true;
  }
  if (flags.list || flags.explain) return false;
  flags.list = word == "list";
  flags.explain = word == "explain";
  return flags.list || flags.explain;
}

Result<void> check(const RouteFlags& flags) {
  if (flags.help) return {};
  if (flags.format != "table" && flags.format != "json")
    return fail(Code::invalid, "--format \"" + flags.format + "\" is neither table nor json");
  if (flags.explain && flags.asked.url.empty()) return fail(Code::invalid, "say which: berth route explain URL");
  if (flags.list || flags.explain) return {};
  return fail(Code::invalid, "say what: berth route list, or berth route explain URL");
}

/// Where the value of a flag goes; null for one that is not known.
std::string* place_of(RouteFlags& flags, std::string_view name) {
  if (name == "--header") return &flags.asked.headers.emplace_back();
  const std::pair<std::string_view, std::string*> known[] = {{"--method", &flags.asked.method},
                                                             {"--from", &flags.asked.from},
                                                             {"--entrypoint", &flags.asked.entry_point},
                                                             {"--data", &flags.data},
                                                             {"--format", &flags.format}};
  for (const auto& [each, place] : known)
    if (each == name) return place;
  return nullptr;
}

Result<RouteFlags> parse(const std::vector<std::string>& arguments) {
  RouteFlags out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (take_word(out, argument)) continue;
    if (argument == "-h" || argument == "--help") {
      out.help = true;
      continue;
    }
    const Cut parts = cut(argument, '=');
    std::string* place = place_of(out, parts.before);
    if (!place) return fail(Code::invalid, "\"" + argument + "\" is not known here; berth route --help shows what is");
    if (!parts.found && ++i == arguments.size()) return fail(Code::invalid, argument + " needs a value");
    *place = parts.found ? std::string(parts.after) : arguments[i];
  }
  out.asked.entry_point = lower(out.asked.entry_point);
  TRY(check(out));
  return out;
}

std::string targets_of(const edge::Service& service) {
  std::string out;
  for (const edge::Upstream& each : service.upstreams)
    out += (out.empty() ? "" : ", ") + each.target + " " + each.host + ":" + std::to_string(each.port);
  return out.empty() ? "down: " + service.down : out;
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
                    targets_text(status, route["service"].text())});
  if (const auto tcp = edge::decode_tcp(status["tcp"])) add_tcp_rows(*tcp, rows);
  std::size_t name = 0, rule = 0;
  for (const Row& row : rows) {
    name = std::max(name, row[0].size());
    rule = std::max(rule, row[1].size());
  }
  for (const Row& row : rows)
    std::printf("%-*s  %-*s  %s\n", static_cast<int>(name), row[0].c_str(), static_cast<int>(rule), row[1].c_str(),
                row[2].c_str());
  for (const Json& note : status["joined"].items()) std::fprintf(stderr, "%s\n", std::string(note.text()).c_str());
  for (const Json& note : status["notes"].items()) std::fprintf(stderr, "%s\n", std::string(note.text()).c_str());
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
    const auto explained = explain(*status, flags->asked);
    if (!explained) return complain(explained.error(), cli::kFailed);
    std::fputs((flags->format == "json" ? explained->dump(2) + "\n" : explained_text(*explained)).c_str(), stdout);
    return (*explained)["served"].boolean() ? cli::kDone : cli::kFailed;
  }
  if (flags->format == "json")
    std::printf("%s\n", status->dump(2).c_str());
  else
    print_table(*status);
  return cli::kDone;
}

}  // namespace berth::app
