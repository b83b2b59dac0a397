#include "backup/carrier.h"

#include <chrono>

#include "engine/container.h"
#include "engine/image.h"
#include "engine/network.h"
#include "io/file.h"
#include "io/scope.h"

namespace berth::backup {
namespace {

using std::chrono::seconds;

constexpr std::string_view kEmptyImage = "berth/empty:latest";
constexpr std::string_view kHost = "berth.backup.host", kOwner = "berth.backup.owner", kVolume = "berth.backup.volume",
                           kDeed = "berth.backup.deed";

std::string host_name() {
  const auto name = io::read_file("/proc/sys/kernel/hostname", 1 << 12);
  return name ? name->substr(0, name->find('\n')) : "";
}

Json body_of(const Carrier& carrier) {
  Json host = Json::object({{"NetworkMode", "none"}});
  if (!carrier.bare)
    host.set("Mounts", Json::array({Json::object({{"Type", "volume"},
                                                  {"Source", carrier.volume},
                                                  {"Target", "/" + std::string(kMount)},
                                                  {"ReadOnly", !carrier.writes},
                                                  {"VolumeOptions", Json::object({{"NoCopy", true}})}})}));
  return Json::object({{"Image", kEmptyImage},
                       {"Cmd", Json::array({"-"})},
                       {"NetworkDisabled", true},
                       {"Labels", Json::object({{"berth.owner", "backup"},
                                                {std::string(kHost), host_name()},
                                                {std::string(kOwner), carrier.owner},
                                                {std::string(kVolume), carrier.volume},
                                                {std::string(kDeed), carrier.deed}})},
                       {"HostConfig", std::move(host)}});
}

io::Task<Result<void>> import_empty(engine::Client& client) {
  CO_TRY(co_await engine::import_image(client, std::string(kEmptyImage), std::string(1024, '\0')));
  co_return Result<void>{};
}

io::Task<Result<void>> drop_left_over(engine::Client& client, LeftOver left, std::string id) {
  if (left.deed == "restoring") {
    // While its mark stands, the volume is nobody's data yet.
    auto removed = co_await engine::remove_volume(client, left.volume);
    if (!removed && removed.error().code != Code::not_found) co_return removed;
  }
  co_return co_await engine::remove_container(client, std::move(id), {.force = true});
}

}  // namespace

std::string carrier_name(std::string_view deed, const std::string& volume) {
  return "berth-" + std::string(deed) + "-" + volume;
}

io::Task<Result<bool>> is_left_over(engine::Client& client, std::string name, std::string owner) {
  const auto found = co_await engine::inspect_container(client, name);
  if (!found && found.error().code == Code::not_found) co_return false;
  if (!found) co_return fail(found.error());
  const Json& labels = found->at("Config.Labels");
  if (labels["berth.owner"].text() != "backup")
    co_return fail(Code::conflict, "a container named " + name + " exists that berth did not make");
  const std::string_view host = labels[kHost].text(), other = labels[kOwner].text();
  if (host == host_name() && other == owner) co_return true;
  co_return fail(Code::busy, "container " + name + ": another copy is made from host " + std::string(host) +
                                 (other.empty() ? " by hand" : " by " + std::string(other)) +
                                 "; when that one is gone, remove it with docker rm " + name);
}

io::Task<Result<void>> make_carrier(engine::Client& client, Carrier carrier) {
  const engine::CreateContainer create{.name = carrier.name, .body = body_of(carrier)};
  constexpr int kTries = 5;  // another's drop_carrier may take the image away in between
  Result<engine::Created> made;
  for (int i = 0; i < kTries; ++i) {
    made = co_await engine::create_container(client, create);
    if (made) co_return Result<void>{};
    const Code why = made.error().code;
    if (why == Code::not_found) {
      CO_TRY(co_await import_empty(client));
    } else if (why == Code::conflict) {
      const bool left = CO_TRY(co_await is_left_over(client, carrier.name, carrier.owner));
      if (left) CO_TRY(co_await engine::remove_container(client, carrier.name, {.force = true}));
    } else {
      break;
    }
  }
  co_return fail(std::move(made).error());
}

io::Task<void> drop_carrier(engine::Client& client, std::string name) {
  (void)co_await io::shielded(engine::remove_container(client, name, {.force = true}), seconds(30));
  (void)co_await io::shielded(engine::remove_image(client, std::string(kEmptyImage)), seconds(10));
}

io::Task<Result<std::vector<LeftOver>>> sweep(engine::Client& client, std::string owner) {
  const Json found =
      CO_TRY(co_await engine::list_containers(client, {.filters = {{"label", "berth.owner=backup"},
                                                                   {"label", std::string(kHost) + "=" + host_name()},
                                                                   {"label", std::string(kOwner) + "=" + owner}}}));
  std::vector<LeftOver> out;
  // Marks last: a carrier has the volume mounted that goes with its mark.
  for (const bool marks : {false, true}) {
    for (const Json& one : found.items()) {
      const Json& labels = one["Labels"];
      LeftOver left{std::string(labels[kVolume].text()), std::string(labels[kDeed].text())};
      if ((left.deed == "restoring") != marks) continue;
      CO_TRY(co_await drop_left_over(client, left, std::string(one["Id"].text())));
      out.push_back(std::move(left));
    }
  }
  if (!out.empty()) (void)co_await engine::remove_image(client, std::string(kEmptyImage));
  co_return out;
}

}  // namespace berth::backup
