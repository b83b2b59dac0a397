// What the fake engine says of itself, and its events.
#include <fmt/format.h>

#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr FakeTime kSecond = 1'000'000'000;

FakeReply ping(FakeState& state, const FakeArgs& args) {
  FakeReply reply{.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                              {"Cache-Control", "no-cache, no-store, must-revalidate"},
                              {"Pragma", "no-cache"}},
                  .body = args.request.method == "HEAD" ? "" : "OK"};
  if (state.at_least(44)) reply.headers.emplace_back("Builder-Version", "2");
  return reply;
}

FakeReply version(FakeState& state, const FakeArgs&) {
  const std::string api = state.api.text(), oldest = state.oldest.text();
  const Json details = Json::object(
      {{"ApiVersion", api}, {"Arch", "amd64"}, {"Experimental", "false"}, {"MinAPIVersion", oldest}, {"Os", "linux"}});
  return answer(
      200, Json::object(
               {{"Platform", Json::object({{"Name", ""}})},
                {"Components", Json::array({Json::object(
                                   {{"Name", "Engine"}, {"Version", state.options.version}, {"Details", details}})})},
                {"Version", state.options.version},
                {"ApiVersion", api},
                {"MinAPIVersion", oldest},
                {"GitCommit", "fake"},
                {"GoVersion", "none"},
                {"Os", "linux"},
                {"Arch", "amd64"},
                {"KernelVersion", "6.1.0"},
                {"BuildTime", time_text(state.options.epoch * kSecond)}}));
}

Json count_states(const FakeState& state) {
  int running = 0, paused = 0;
  for (const FakeContainer& container : state.containers) {
    running += container.status == FakeStatus::running || container.status == FakeStatus::restarting;
    paused += container.status == FakeStatus::paused;
  }
  const int all = static_cast<int>(state.containers.size());
  return Json::object({{"ID", "FAKE:FAKE:FAKE:FAKE:FAKE:FAKE:FAKE:FAKE:FAKE:FAKE:FAKE:FAKE"},
                       {"Containers", all},
                       {"ContainersRunning", running},
                       {"ContainersPaused", paused},
                       {"ContainersStopped", all - running - paused},
                       {"Images", state.images.size()}});
}

FakeReply info(FakeState& state, const FakeArgs&) {
  Json info = count_states(state);
  put(info, {{"Driver", "overlay2"}, {"DockerRootDir", "/var/lib/docker"}, {"Labels", Json::array()}});
  for (const std::string_view key : {"MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet",
                                     "PidsLimit", "IPv4Forwarding", "BridgeNfIptables", "OomKillDisable"})
    info.set(key, true);
  put(info, {{"NCPU", 2}, {"MemTotal", std::int64_t{1} << 32}, {"OSType", "linux"}, {"Architecture", "x86_64"}});
  put(info, {{"KernelVersion", "6.1.0"}, {"OperatingSystem", "Debian GNU/Linux 12 (bookworm)"}, {"Name", "fake"}});
  put(info, {{"ServerVersion", state.options.version}, {"LoggingDriver", "json-file"}});
  put(info, {{"CgroupDriver", "cgroupfs"}, {"CgroupVersion", state.at_least(44) ? "2" : "1"}});
  put(info, {{"IndexServerAddress", "https://index.docker.io/v1/"}, {"SystemTime", time_text(state.now())}});
  put(info, {{"DefaultRuntime", "runc"}, {"Runtimes", Json::object({{"runc", Json::object({{"path", "runc"}})}})}});
  put(info, {{"SecurityOptions", Json::array({"name=seccomp,profile=default"})}, {"Warnings", nullptr}});
  info.set("Plugins",
           Json::object({{"Volume", Json::array({"local"})},
                         {"Network", Json::array({"bridge", "host", "ipvlan", "macvlan", "null", "overlay"})},
                         {"Authorization", nullptr},
                         {"Log", Json::array({"json-file", "local", "none"})}}));
  info.set("Swarm", Json::object({{"NodeID", ""},
                                  {"NodeAddr", ""},
                                  {"LocalNodeState", "inactive"},
                                  {"ControlAvailable", false},
                                  {"Error", ""},
                                  {"RemoteManagers", nullptr}}));
  return answer(200, info);
}

FakeReply disk_usage(FakeState& state, const FakeArgs&) {
  Json volumes = Json::array();
  for (const FakeVolume& volume : state.volumes) {
    Json item = volume.body;
    volumes.push(with(std::move(item), {{"UsageData", Json::object({{"Size", 0}, {"RefCount", 0}})}}));
  }
  return answer(200, Json::object({{"LayersSize", 0},
                                   {"Images", Json::array()},
                                   {"Containers", Json::array()},
                                   {"Volumes", std::move(volumes)},
                                   {"BuildCache", nullptr},
                                   {"BuilderSize", 0}}));
}

bool any_starts(const FakeFilters& filters, std::string_view name, std::string_view a, std::string_view b) {
  const auto wanted = filters.find(std::string(name));
  if (wanted == filters.end()) return true;
  return std::ranges::any_of(wanted->second, [&](const std::string& prefix) {
    return !prefix.empty() && (a.starts_with(prefix) || b.starts_with(prefix));
  });
}

// Subject filters hold for events of their own kind and drop the others.
bool subject_passes(const Json& event, const FakeFilters& filters) {
  const std::string_view id = event["Actor"]["ID"].text(), name = event["Actor"]["Attributes"]["name"].text();
  for (const std::string_view kind : {"container", "network", "volume"})
    if (filters.contains(std::string(kind)) && (event["Type"].text() != kind || !any_starts(filters, kind, id, name)))
      return false;
  const std::string_view image = event["Type"].text() == "image" ? id : event["Actor"]["Attributes"]["image"].text();
  return any_starts(filters, "image", image, event["Type"].text() == "image" ? name : "");
}

using Period = std::pair<std::optional<FakeTime>, std::optional<FakeTime>>;

// `since` and `until` where they were given.
std::expected<Period, FakeReply> read_period(const FakeState& state, const FakeArgs& args) {
  Period period;
  for (const auto& [name, time] : {std::pair("since", &period.first), std::pair("until", &period.second)}) {
    const std::string_view text = args.value(name);
    *time = parse_time(text, state.now());
    if (!text.empty() && !*time)
      return std::unexpected(refuse(state.at_least(42) ? 400 : 500,
                                    fmt::format("strconv.ParseInt: parsing \"{}\": invalid syntax", text)));
  }
  return period;
}

std::string past_events(FakeState& state, const FakeArgs& args, const Period& period, const FakeFilters& filters) {
  const auto& [since, until] = period;
  std::string lines;
  for (const Json& event : state.events) {
    const FakeTime time = event["timeNano"].integer();
    if (since && time >= *since && time <= until.value_or(time) && event_passes(state, event, filters))
      lines += event_line(args.version, event);
  }
  return lines;
}

FakeReply events(FakeState& state, const FakeArgs& args) {
  const auto filters = read_filters(args, {"config", "container", "daemon", "event", "image", "label", "network",
                                           "node", "plugin", "scope", "secret", "service", "type", "volume"});
  if (!filters) return filters.error();
  const auto times = read_period(state, args);
  if (!times) return times.error();
  const auto [since, until] = *times;
  if (since && until && *since > *until)
    return refuse(400, fmt::format("`since` time ({}.{:09}) cannot be after `until` time ({}.{:09})", *since / kSecond,
                                   *since % kSecond, *until / kSecond, *until % kSecond));
  FakeReply reply{.headers = {{"Content-Type", "application/json"}},
                  .body = past_events(state, args, *times, *filters)};
  if (until && *until <= state.now()) return reply;
  reply.feed = std::make_shared<FakeFeed>();
  state.listeners.push_back({reply.feed, *filters, args.version});
  if (until)
    state.agenda.in(std::chrono::nanoseconds(*until - state.now()), [feed = std::weak_ptr(reply.feed)] {
      if (const auto ended = feed.lock()) ended->end();
    });
  return reply;
}

}  // namespace

bool event_passes(FakeState&, const Json& event, const FakeFilters& filters) {
  const std::string_view action = event["Action"].text();
  return passes(filters, "type", event["Type"].text()) && passes(filters, "scope", "local") &&
         (passes(filters, "event", action) || passes(filters, "event", cut(action, ':').before)) &&
         has_labels(event["Actor"]["Attributes"], filters) && subject_passes(event, filters);
}

const std::vector<FakeRoute>& system_routes() {
  static const std::vector<FakeRoute> routes{
      {"GET", "/_ping", ping}, {"HEAD", "/_ping", ping},          {"GET", "/version", version},
      {"GET", "/info", info},  {"GET", "/system/df", disk_usage}, {"GET", "/events", events},
  };
  return routes;
}

}  // namespace berth::testing
