// `berth metrics` and `berth requests`: what the edge counts, and what it is doing.
#include <algorithm>
#include <cstdio>

#include "app/verbs.h"
#include "cli/exit_status.h"
#include "io/scope.h"
#include "plan/lock.h"
#include "plan/traffic_socket.h"

namespace berth::app {
namespace {

constexpr std::string_view kMetricsHelp =
    "Usage: berth metrics [--data DIR]\n\n"
    "Prints what the edge of berth serve counts, in the text format of Prometheus.\n\n"
    "Flags:\n"
    "  --data DIR  data folder of berth serve (default /var/lib/berth)\n";

constexpr std::string_view kRequestsHelp =
    "Usage: berth requests [FLAGS]\n\n"
    "Shows the requests that run now, or with --follow each one as it ends. Lines that come faster than they are read\n"
    "are lost, and counted.\n\n"
    "Flags:\n"
    "  -f, --follow     each request that ends, until Ctrl-C\n"
    "  --route NAME     only those of this router, such as app@docker\n"
    "  --host HOST      only those of this host\n"
    "  --status CODE    only those with this status; 5 for 5xx\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --format FORMAT  table or json, one object a line (default table)\n";

struct ViewFlags {
  std::string data = "/var/lib/berth", route{}, host{}, status{}, format = "table";
  bool follow = false, help = false;
};

/// The value of the flag `name` at `at`, which then is at its last word.
std::optional<std::string> value_of(const std::vector<std::string>& words, std::size_t& at, std::string_view name) {
  const std::string& word = words[at];
  if (word == name && at + 1 < words.size()) return words[++at];
  if (word.starts_with(name) && word.substr(name.size()).starts_with('=')) return word.substr(name.size() + 1);
  return std::nullopt;
}

bool take_text(const std::vector<std::string>& words, std::size_t& at, ViewFlags& flags, bool of_requests) {
  if (auto data = value_of(words, at, "--data")) {
    flags.data = std::move(*data);
    return true;
  }
  const std::pair<std::string_view, std::string*> texts[] = {
      {"--route", &flags.route}, {"--host", &flags.host}, {"--status", &flags.status}, {"--format", &flags.format}};
  return of_requests && std::ranges::any_of(texts, [&](const auto& each) {
           auto value = value_of(words, at, each.first);
           if (value) *each.second = std::move(*value);
           return value.has_value();
         });
}

Result<ViewFlags> parse(const std::vector<std::string>& words, bool of_requests) {
  ViewFlags flags;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--help" || word == "-h")
      flags.help = true;
    else if (of_requests && (word == "--follow" || word == "-f"))
      flags.follow = true;
    else if (!take_text(words, i, flags, of_requests))
      return fail(Code::invalid, "\"" + word + "\" is not known here; --help shows what is");
  }
  if (flags.format != "table" && flags.format != "json")
    return fail(Code::invalid, "--format: \"" + flags.format + "\" is neither table nor json");
  return flags;
}

io::Task<Result<Json>> ask(std::string data, std::string folder, plan::ControlRequest request) {
  Error last{Code::unavailable, "no berth serve with --data " + data + " answers; is it running?"};
  for (const std::string& path : plan::control_sockets(folder, data)) {
    auto reply = co_await io::within(std::chrono::seconds(20), plan::ask_control(path, request));
    if (reply || reply.error().code != Code::unavailable) co_return reply;
    last = std::move(reply.error());
  }
  co_return fail(std::move(last));
}

std::string folder_of(const Environment& environment) {
  const auto runtime = environment.find("XDG_RUNTIME_DIR");
  return plan::runtime_folder(runtime == environment.end() ? std::string() : runtime->second);
}

bool wanted(const ViewFlags& flags, const Json& line) {
  const std::string status = std::to_string(line["status"].integer());
  return (flags.route.empty() || line["route"].text() == flags.route) &&
         (flags.host.empty() || line["host"].text() == flags.host) && status.starts_with(flags.status);
}

void print(const ViewFlags& flags, const Json& line) {
  if (!wanted(flags, line)) return;
  if (flags.format == "json") {
    std::printf("%s\n", line.dump().c_str());
    return;
  }
  const auto text = [&](std::string_view key) { return std::string(line[key].text()); };
  const std::string url = text("scheme") + "://" + text("host") + text("path");
  std::printf("%3ld %9.1f ms  %-7s %s  %s  %s\n", static_cast<long>(line["status"].integer()), line["ms"].number(),
              text("method").c_str(), quote_json(url).c_str(), text("client").c_str(), text("route").c_str());
}

int complain(std::string_view verb, const Error& error, int status) {
  std::fprintf(stderr, "berth %.*s: %s\n", static_cast<int>(verb.size()), verb.data(), error.text().c_str());
  return status;
}

io::Task<Result<void>> show(const ViewFlags& flags, std::string folder) {
  plan::ControlRequest request{.what = plan::ControlRequest::What::requests, .follow = flags.follow};
  while (true) {
    const Json reply = CO_TRY(co_await ask(flags.data, folder, request));
    for (const Json& each : reply["running"].items()) print(flags, each);
    if (!flags.follow) co_return Result<void>{};
    for (const Json& line : reply["lines"].items())
      if (const auto parsed = parse_json(line.text())) print(flags, *parsed);
    if (const auto lost = reply["lost"].integer(); lost > 0)
      std::fprintf(stderr, "berth requests: %ld lines were lost\n", static_cast<long>(lost));
    std::fflush(stdout);
    request.since = static_cast<std::uint64_t>(reply["next"].integer());
  }
}

}  // namespace

int run_metrics(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments, false);
  if (!flags) return complain("metrics", flags.error(), cli::kBadUsage);
  if (flags->help) return std::fputs(std::string(kMetricsHelp).c_str(), stdout) < 0;
  io::Loop loop;
  const auto reply = loop.run(ask(flags->data, folder_of(environment), {.what = plan::ControlRequest::What::metrics}));
  if (!reply) return complain("metrics", reply.error(), cli::kFailed);
  std::fputs(std::string((*reply)["text"].text()).c_str(), stdout);
  return cli::kDone;
}

int run_requests(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments, true);
  if (!flags) return complain("requests", flags.error(), cli::kBadUsage);
  if (flags->help) return std::fputs(std::string(kRequestsHelp).c_str(), stdout) < 0;
  io::Loop loop;
  const auto shown = loop.run(show(*flags, folder_of(environment)));
  return shown ? cli::kDone : complain("requests", shown.error(), cli::kFailed);
}

}  // namespace berth::app
