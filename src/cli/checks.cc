#include "cli/checks.h"

#include <sys/statvfs.h>
#include <sys/timex.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/containers.h"
#include "cli/port_holder.h"
#include "engine/network.h"
#include "engine/system.h"
#include "io/file.h"
#include "io/ownership.h"
#include "io/process.h"

namespace berth::cli {
namespace {

constexpr std::uint64_t kGigabyte = 1'000'000'000;
constexpr auto kSkew = std::chrono::seconds(2);

Check port_check(int port) {
  const auto holder = port_holder(port);
  const auto what = fmt::format("port {}", port);
  if (holder.empty()) return {Verdict::ok, what, "free", {}};
  if (holder.starts_with("berth ")) return {Verdict::ok, what, "held by " + holder, {}};
  return {Verdict::warn, what, "held by " + holder,
          "stop it, or let berth serve listen elsewhere (--web, --websecure)"};
}

Check cgroup_check() {
  const auto controllers = io::read_file("/sys/fs/cgroup/cgroup.controllers");
  if (!controllers) {
    if (io::exists("/sys/fs/cgroup/memory")) return {Verdict::ok, "cgroups", "version 1", {}};
    return {Verdict::fail, "cgroups", "not mounted", "mount cgroup2 on /sys/fs/cgroup"};
  }
  if (controllers->contains("memory")) return {Verdict::ok, "cgroups", "version 2", {}};
  return {Verdict::warn, "cgroups", "version 2 without the memory controller", "memory limits have no effect here"};
}

Check sync_check() {
  timex state{};
  const int result = ::adjtimex(&state);
  if (result < 0) return {Verdict::warn, "clock", "cannot be read", {}};
  if (result == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
    return {Verdict::warn, "clock", "not synchronised", "run an NTP client; wrong time breaks certificates"};
  return {Verdict::ok, "clock", "synchronised", {}};
}

bool same_network(const std::string& pid) {
  std::error_code error;
  const auto theirs = std::filesystem::read_symlink("/proc/" + pid + "/ns/net", error);
  const auto ours = std::filesystem::read_symlink("/proc/self/ns/net", error);
  return !error && theirs == ours;
}

io::Task<std::string> output_of(std::vector<std::string> argv) {
  const auto output = co_await io::run_command({.argv = std::move(argv), .errors = io::Command::Pipe::none}, "");
  co_return output && output->status == 0 ? output->out : std::string();
}

io::Task<Check> forwarding_check() {
  const auto forward = co_await output_of({"iptables", "-S", "FORWARD"});
  if (forward.empty())
    co_return Check{Verdict::warn, "forwarding", "iptables cannot be read", "run berth doctor as root"};
  co_return judge_forwarding(forward, co_await output_of({"iptables", "-S"}));
}

io::Task<Check> bridge_check(engine::Client& client) {
  const auto network = co_await engine::inspect_network(client, "bridge");
  if (!network) co_return Check{Verdict::warn, "default bridge", network.error().message, {}};
  auto name = std::string(network->at("Options")["com.docker.network.bridge.name"].text());
  if (name.empty()) name = "docker0";
  if (io::exists("/sys/class/net/" + name)) co_return Check{Verdict::ok, "default bridge", name, {}};
  co_return Check{Verdict::fail, "default bridge", name + " is missing",
                  "restart the engine; something removed its bridge"};
}

Check disk_check(std::string path) {
  struct statvfs state{};
  if (::statvfs(path.c_str(), &state) != 0) {
    path = "/";
    if (::statvfs("/", &state) != 0) return {Verdict::warn, "disk", "cannot be read", {}};
  }
  return judge_disk(path, std::uint64_t{state.f_bavail} * state.f_frsize,
                    std::uint64_t{state.f_blocks} * state.f_frsize);
}

std::chrono::milliseconds skew_of(const Json& info, std::chrono::system_clock::time_point now) {
  const auto theirs = time_parameter(info["SystemTime"].text(), now);
  if (!theirs || theirs->empty()) return {};
  const double ours = std::chrono::duration<double>(now.time_since_epoch()).count();
  return std::chrono::milliseconds(static_cast<std::int64_t>((std::stod(*theirs) - ours) * 1000));
}

// Core wrote this file last.
Check account_check(const std::string& data) {
  const auto owner = io::owner_of(data + "/status.json");
  if (!owner || *owner != "root")
    return {Verdict::ok, "account", "core runs as " + owner.value_or("another account"), {}};
  return {Verdict::warn, "account", "core runs as root, since no account is called berth",
          "the package makes it; else: adduser --system --group --no-create-home berth, and restart berth serve"};
}

}  // namespace

Check judge_forwarding(std::string_view forward_rules, std::string_view filter_chains) {
  if (!filter_chains.contains("-N DOCKER\n"))
    return {Verdict::fail, "forwarding", "the chain DOCKER is missing",
            "restart the engine; something flushed its firewall rules"};
  const bool drops = forward_rules.contains("-P FORWARD DROP");
  if (drops && !forward_rules.contains("DOCKER"))
    return {Verdict::fail, "forwarding", "FORWARD drops and does not ask DOCKER",
            "restart the engine so that it adds its rules again"};
  return {Verdict::ok, "forwarding", drops ? "FORWARD drops, DOCKER decides" : "FORWARD accepts", {}};
}

Check judge_disk(const std::string& path, std::uint64_t free_bytes, std::uint64_t all_bytes) {
  const auto found = fmt::format("{:.1f} GB of {:.1f} GB free at {}", static_cast<double>(free_bytes) / 1e9,
                                 static_cast<double>(all_bytes) / 1e9, path);
  if (free_bytes < kGigabyte / 2) return {Verdict::fail, "disk", found, "remove unused images: docker image prune -a"};
  if (free_bytes < 2 * kGigabyte || free_bytes < all_bytes / 20)
    return {Verdict::warn, "disk", found, "remove unused images: docker image prune -a"};
  return {Verdict::ok, "disk", found, {}};
}

Check judge_clock(std::chrono::milliseconds skew) {
  const auto text = fmt::format("{:.1f} s apart from the engine's", std::chrono::duration<double>(skew).count());
  if (std::chrono::abs(skew) <= kSkew) return {Verdict::ok, "engine's clock", text, {}};
  return {Verdict::warn, "engine's clock", text, "synchronise both hosts; logs and certificates depend on it"};
}

Check judge_exposure(const Json& status) {
  constexpr std::size_t kMost = 10;
  std::vector<std::string> labelled, all;
  for (const auto& each : status["unexposed"].items()) {
    all.push_back(printable(each["container"].text()));
    if (each["labelled"].boolean()) labelled.push_back(all.back());
  }
  if (all.empty()) return {Verdict::ok, "exposure", "berth serve routes all that Traefik would", {}};
  auto names = labelled.empty() ? all : labelled;
  const auto more = names.size() > kMost ? fmt::format(" and {} more", names.size() - kMost) : "";
  names.resize(std::min(names.size(), kMost));
  const auto listed = join(names, ", ") + more;
  const auto advice =
      "label them traefik.enable=true, or run berth serve --providers.docker.exposedByDefault=true as Traefik does";
  const auto others = all.size() - labelled.size();
  const auto beside =
      others > 0 ? fmt::format("; beside them {} without labels, which Traefik would route", others) : "";
  if (!labelled.empty()) return {Verdict::warn, "exposure", "labelled but not routed: " + listed + beside, advice};
  return {Verdict::ok, "exposure", "not routed, as Traefik would by default: " + listed, advice};
}

std::vector<Check> serve_checks(const std::string& data) {
  const auto text = io::read_file(data + "/status.json");
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) return {{Verdict::warn, "exposure", text.error().message, "run berth doctor as root"}};
  const auto status = parse_json(*text);
  if (!status) return {{Verdict::warn, "exposure", data + "/status.json: " + status.error().message, {}}};
  return {judge_exposure(*status), account_check(data)};
}

std::vector<Check> host_checks() {
  return {cgroup_check(), sync_check(), port_check(80), port_check(443)};
}

io::Task<std::vector<Check>> engine_checks(Session& session) {
  std::vector<Check> out;
  const auto client = co_await session.engine();
  if (!client) {
    out.push_back({Verdict::fail, "engine", client.error().message, client.error().detail});
    co_return out;
  }
  const auto info = co_await engine::engine_info(**client);
  if (!info) {
    out.push_back({Verdict::fail, "engine", info.error().message, {}});
    co_return out;
  }
  out.push_back({Verdict::ok,
                 "engine",
                 fmt::format("{} (API {}) at {}", (*info)["ServerVersion"].text(), (*client)->version().text(),
                             (*client)->address().text()),
                 {}});
  for (const auto& warning : (*info)["Warnings"].items())
    out.push_back({Verdict::warn, "engine", printable(warning.text()), {}});
  out.push_back(judge_clock(skew_of(*info, session.world.now())));
  const auto pid = session.world.dialer ? std::string() : co_await engine_pid((*client)->address());
  if (!pid.empty()) out.push_back(disk_check(std::string((*info)["DockerRootDir"].text())));
  if (pid.empty() || !same_network(pid)) co_return out;  // its links and its firewall are not ours to see
  out.push_back(co_await bridge_check(**client));
  out.push_back(co_await forwarding_check());
  co_return out;
}

}  // namespace berth::cli
