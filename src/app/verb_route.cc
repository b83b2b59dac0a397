#include <algorithm>
#include <cstdio>

#include "app/verbs.h"
#include "cli/exit_status.h"
#include "edge/path.h"
#include "edge/route.h"
#include "http/url.h"
#include "io/file.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth route list [--data DIR] [--format table|json]\n"
    "       berth route explain URL [--data DIR] [--method METHOD]\n"
    "       berth route pause|stop|resume NAME [FLAGS]; berth route pause --help tells more\n\n"
    "list shows the routers that berth serve reads from labels, where each leads, and what is wrong with the others;\n"
    "explain says which router gets a request for URL, why the others do not, and where it leads.\n\n"
    "Flags:\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --format FORMAT  table or json (default table)\n"
    "  --method METHOD  of the request to explain (default GET)\n";

struct RouteFlags {
  bool list = false;
  bool explain = false;
  std::string url, method = "GET";
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

void print_table(const Json& status) {
  std::size_t name = 4, rule = 4;
  for (const Json& route : status["routes"].items()) {
    name = std::max(name, route["name"].text().size());
    rule = std::max(rule, route["rule"].text().size());
  }
  const auto row = [&](std::string_view a, std::string_view b, std::string_view c) {
    std::printf("%-*s  %-*s  %s\n", static_cast<int>(name), std::string(a).c_str(), static_cast<int>(rule),
                std::string(b).c_str(), std::string(c).c_str());
  };
  row("NAME", "RULE", "TARGETS");
  for (const Json& route : status["routes"].items())
    row(route["name"].text(), route["rule"].text(), targets(status, route["service"].text()));
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

Result<int> explain(const Json& status, const RouteFlags& flags) {
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
