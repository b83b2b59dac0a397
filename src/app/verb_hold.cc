#include <charconv>
#include <cstdio>

#include "app/arguments.h"
#include "app/verbs.h"
#include "base/units.h"
#include "cli/exit_status.h"

namespace berth::app {
namespace {

using std::chrono::seconds;

constexpr std::string_view kHelp =
    "Usage: berth route pause NAME [FLAGS]\n"
    "       berth route stop NAME [FLAGS]\n"
    "       berth route resume NAME [FLAGS]\n\n"
    "pause holds the requests of a service back until resume; none fails that waits no longer than --timeout. stop\n"
    "answers them with 503 and a message. Both hold over restarts, and wait for the requests that run already. NAME is "
    "a\n"
    "service, a router or a host of berth route list.\n\n"
    "Flags:\n"
    "  --timeout TIME   how long a request waits while paused; then it gets 503 (default 30s)\n"
    "  --most N         requests that may wait at once, for each worker of the edge (default 1000)\n"
    "  --message TEXT   what stop tells (default \"This service is under maintenance.\")\n"
    "  --drain TIME     how long to wait for the requests that run (default 30s)\n"
    "  --cut            cut WebSockets and streams that last longer than --drain\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --format FORMAT  table or json (default table)\n";

struct HoldFlags {
  plan::ControlRequest request{
      .what = plan::ControlRequest::What::hold, .most = seconds(30), .hold = {.limit = seconds(30), .count = 1000}};
  std::string data = "/var/lib/berth";
  bool help = false, json = false, message = false;
};

Result<seconds> time_of(std::string_view flag, std::string_view text) {
  const bool bare = !text.empty() && text.back() >= '0' && text.back() <= '9';
  const auto time = parse_duration(std::string(text) + (bare ? "s" : ""));
  const bool right = time && *time >= seconds(0) && *time <= std::chrono::hours(24);
  if (!right) return fail(Code::invalid, std::string(flag) + ": \"" + std::string(text) + "\" is not a time up to 24h");
  return std::chrono::ceil<seconds>(*time);
}

Result<void> take_value(Arguments& arguments, HoldFlags& flags) {
  plan::ControlRequest::Hold& hold = flags.request.hold;
  if (const auto limit = arguments.value("--timeout")) {
    hold.limit = TRY(time_of("--timeout", *limit));
  } else if (const auto drain = arguments.value("--drain")) {
    flags.request.most = TRY(time_of("--drain", *drain));
  } else if (const auto most = arguments.value("--most")) {
    const auto [end, error] = std::from_chars(most->data(), most->data() + most->size(), hold.count);
    if (error != std::errc{} || end != most->data() + most->size() || hold.count > 1'000'000)
      return fail(Code::invalid, "--most: \"" + *most + "\" is not a number up to 1000000");
  } else if (auto message = arguments.value("--message")) {
    flags.message = true;
    hold.message = std::move(*message);
  } else if (auto data = arguments.value("--data")) {
    flags.data = std::move(*data);
  } else if (const auto format = arguments.value("--format"); format && (*format == "json" || *format == "table")) {
    flags.json = *format == "json";
  } else {
    return fail(Code::invalid,
                "\"" + arguments.word() + "\" is not known here; berth route pause --help shows what is");
  }
  return {};
}

Result<void> take(Arguments& arguments, HoldFlags& flags) {
  plan::ControlRequest::Hold& hold = flags.request.hold;
  const std::string& word = arguments.word();
  if (word == "-h" || word == "--help") {
    flags.help = true;
  } else if (word == "--cut") {
    hold.cut = true;
  } else if (word.starts_with('-') || !hold.name.empty()) {
    return take_value(arguments, flags);
  } else {
    (hold.verb.empty() ? hold.verb : hold.name) = word;
  }
  return {};
}

Result<HoldFlags> parse(const std::vector<std::string>& words) {
  HoldFlags flags;
  Arguments arguments(words);
  while (arguments.next()) TRY(take(arguments, flags));
  if (flags.help) return flags;
  plan::ControlRequest::Hold& hold = flags.request.hold;
  if (hold.name.empty()) return fail(Code::invalid, "say which: berth route " + hold.verb + " SERVICE|ROUTER|HOST");
  if (flags.message && hold.verb != "stop") return fail(Code::invalid, "--message goes with berth route stop");
  if (hold.verb == "stop" && !flags.message) hold.message = "This service is under maintenance.";
  const bool line = !hold.message.contains('\n') && hold.message.size() <= 500;
  if (!line || (hold.verb == "stop" && hold.message.empty()))
    return fail(Code::invalid, "--message: must be one line of 1 to 500 bytes");
  return flags;
}

void print(const HoldFlags& flags, const Json& reply) {
  static constexpr std::pair<std::string_view, const char*> kDone[] = {
      {"pause", "paused"}, {"stop", "stopped"}, {"resume", "resumed"}};
  const std::string& verb = flags.request.hold.verb;
  for (const auto& [name, done] : kDone)
    for (const Json& service : reply["services"].items())
      if (name == verb) std::printf("%s %s\n", done, std::string(service.text()).c_str());
  const auto number = [&](std::string_view name) { return static_cast<long>(reply[name].integer()); };
  if (verb == "resume" && number("waiting") > 0)
    std::fprintf(stderr, "%ld requests that waited go on\n", number("waiting"));
  if (number("running") > 0)
    std::fprintf(stderr, "%ld requests still run after %s, of which %ld last (WebSockets, streams, downloads)%s\n",
                 number("running"), format_duration(flags.request.most).c_str(), number("lasting"),
                 reply["cut"].boolean() ? "; those are cut" : "");
}

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth route: %s\n", error.text().c_str());
  return status;
}

}  // namespace

int run_hold(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error(), cli::kBadUsage);
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  const auto reply = ask_serve(flags->request, flags->data, environment, flags->request.most + seconds(40));
  if (!reply) return complain(reply.error(), cli::kFailed);
  if (flags->json)
    std::printf("%s\n", reply->dump(2).c_str());
  else
    print(*flags, *reply);
  return cli::kDone;
}

}  // namespace berth::app
