#include "app/broker_place.h"

#include <unistd.h>

#include "base/text.h"
#include "io/file.h"
#include "io/links.h"

namespace berth::app {
namespace {

using std::chrono::seconds;
using Marks = std::set<std::string>;

constexpr std::size_t kMostText = 1u << 20;
constexpr int kMostShared = 4;  // containers that a network was borrowed through
constexpr auto kPause = seconds(1);
constexpr int kPausesOfAnswer = 30;

// A route that leads out of this network: "00000000" as destination and mask, or ::/0 of another device than lo.
bool has_way_out() {
  const auto four = io::read_file("/proc/net/route", kMostText);
  const auto six = io::read_file("/proc/net/ipv6_route", kMostText);
  if (!four) return true;
  for (const std::string_view line : split(*four, '\n'))
    if (const auto parts = split(line, '\t'); parts.size() > 7 && parts[1] == "00000000" && parts[7] == "00000000")
      return true;
  if (!six) return false;
  for (const std::string_view line : split(*six, '\n'))
    if (line.starts_with("00000000000000000000000000000000 00 ") && !line.ends_with(" lo")) return true;
  return false;
}

bool in_container() {
  return io::exists("/.dockerenv") || io::exists("/run/.containerenv");
}

Result<Marks> own_marks() {
  Marks out;
  for (const auto& [name, link] : TRY(io::links())) {
    out.insert(link.hardware.empty() ? name : link.hardware);  // a name is no address that an engine could tell
    out.insert(link.addresses.begin(), link.addresses.end());
  }
  return out;
}

std::vector<std::string> candidates() {
  char name[256] = {};
  (void)::gethostname(name, sizeof name - 1);
  const auto mounts = io::read_file("/proc/self/mountinfo", kMostText);
  const auto groups = io::read_file("/proc/self/cgroup", kMostText);
  return broker::container_candidates(mounts ? *mounts : "", groups ? *groups : "", name);
}

Error refusal(const std::string& why) {
  return {Code::denied,
          "plain TCP could be reached by others: " + why +
              "; use unix:PATH or mtls:ADDRESS: plain TCP is for loopback, and for a container whose networks are all "
              "internal"};
}

}  // namespace

io::Task<Result<broker::Place>> PlainPlace::look_at(std::string candidate, const Marks& own) {
  broker::Surroundings seen;
  seen.container = CO_TRY(co_await engine_.inspect({"containers", candidate}));
  if (!seen.container["Id"].text().starts_with(candidate))
    co_return fail(Code::not_found, "the engine has no container " + candidate);
  for (int i = 0; i < kMostShared; ++i) {
    const Cut mode = cut(seen.container.at("HostConfig.NetworkMode").text(), ':');
    if (mode.before != "container") break;
    seen.container = CO_TRY(co_await engine_.inspect({"containers", std::string(mode.after)}));
  }
  for (const auto& [name, endpoint] : seen.container.at("NetworkSettings.Networks").members())
    seen.networks.push_back(CO_TRY(co_await engine_.inspect({"networks", std::string(endpoint["NetworkID"].text())})));
  co_return broker::judge_place(seen, own);
}

io::Task<broker::Place> PlainPlace::look(const Marks& own) {
  broker::Place out{.why = "the engine knows no container that this is"};
  for (const std::string& candidate : candidates()) {
    auto place = co_await look_at(candidate, own);
    if (!place) {
      if (place.error().code != Code::not_found) out.why = place.error().message;
      continue;
    }
    if (place->reach != broker::Reach::unknown) co_return *std::move(place);
    out = *std::move(place);
  }
  co_return out;
}

io::Task<Result<void>> PlainPlace::check() {
  if (!in_container()) co_return fail(refusal("this is no container"));
  Marks own = CO_TRY(own_marks());
  const broker::Place place = co_await look(own);
  if (place.reach == broker::Reach::open) co_return fail(refusal(place.why));
  // What the engine could not say, and nothing changed since it could.
  const bool as_before = !own_.empty() && own == own_;
  if (place.reach == broker::Reach::unknown && !as_before && has_way_out())
    co_return fail(refusal(place.why + ", and there is a default route"));
  own_ = std::move(own);
  co_return Result<void>{};
}

io::Task<Result<void>> PlainPlace::until_left() {
  for (int pauses = 1;; ++pauses) {
    CO_TRY(co_await io::sleep_for(kPause));
    const auto own = own_marks();
    if (own && *own == own_ && pauses % kPausesOfAnswer != 0) continue;
    CO_TRY(co_await check());
  }
}

}  // namespace berth::app
