#include <cstdio>

#include "app/verbs.h"
#include "cli/exit_status.h"
#include "io/file.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth route list [--data DIR] [--format table|json]\n\n"
    "Shows the routers that berth serve reads from labels, where each leads, and what is wrong with the others.\n\n"
    "Flags:\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --format FORMAT  table or json (default table)\n";

struct RouteFlags {
  bool list = false;
  bool help = false;
  bool json = false;
  std::string data = "/var/lib/berth";
};

Result<RouteFlags> parse(const std::vector<std::string>& arguments) {
  RouteFlags out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string argument = arguments[i];
    const auto value = [&](std::string_view flag) -> std::optional<std::string> {
      if (argument.starts_with(std::string(flag) + "=")) return argument.substr(flag.size() + 1);
      if (argument == flag && i + 1 < arguments.size()) return arguments[++i];
      return std::nullopt;
    };
    if (argument == "list") {
      out.list = true;
    } else if (argument == "-h" || argument == "--help") {
      out.help = true;
    } else if (const auto data = value("--data")) {
      out.data = *data;
    } else if (const auto format = value("--format"); format && (*format == "json" || *format == "table")) {
      out.json = *format == "json";
    } else {
      return fail(Code::invalid, "\"" + argument + "\" is not known here; berth route --help shows what is");
    }
  }
  if (!out.list && !out.help) return fail(Code::invalid, "say what: berth route list");
  return out;
}

std::string targets(const Json& status, std::string_view service) {
  for (const Json& candidate : status["services"].items()) {
    if (candidate["name"].text() != service) continue;
    std::string out;
    for (const Json& upstream : candidate["upstreams"].items())
      out += (out.empty() ? "" : ", ") + std::string(upstream["target"].text()) + " " +
             std::string(upstream["host"].text()) + ":" + std::to_string(upstream["port"].integer());
    return out.empty() ? "down: " + std::string(candidate["down"].text()) : out;
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

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth route: %s\n", error.text().c_str());
  return status;
}

}  // namespace

int run_route(const std::vector<std::string>& arguments, const Environment&) {
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error(), cli::kBadUsage);
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  const auto text = io::read_file(flags->data + "/status.json");
  if (!text)
    return complain(Error{text.error().code, text.error().message + "; is berth serve running with this --data?"},
                    cli::kFailed);
  const auto status = parse_json(*text);
  if (!status) return complain(status.error(), cli::kFailed);
  if (flags->json)
    std::printf("%s\n", status->dump(2).c_str());
  else
    print_table(*status);
  return cli::kDone;
}

}  // namespace berth::app
