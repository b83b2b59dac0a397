#include "plan/observe.h"

#include "engine/container.h"
#include "engine/image.h"
#include "engine/network.h"
#include "io/scope.h"

namespace berth::plan {
namespace {

constexpr std::size_t kAtATime = 16;

using Inspect = io::Task<Result<Json>> (*)(engine::Client&, std::string);

/// One look-up: where it goes and what came of it.
struct Lookup {
  Inspect inspect;
  std::string name;
  Result<Json> reply = Json();
};

io::Task<void> look(engine::Client& client, io::Semaphore& permits, Lookup& lookup) {
  if (auto permit = co_await permits.acquire(); !permit) {
    lookup.reply = fail(std::move(permit).error());
    co_return;
  }
  lookup.reply = co_await lookup.inspect(client, lookup.name);
  permits.release();
}

// All at once, a bounded number at a time. What does not exist (any more) stays null.
io::Task<Result<void>> look_all(engine::Client& client, std::vector<Lookup>& lookups) {
  io::Semaphore permits(kAtATime);
  io::Scope scope(co_await io::here());
  for (auto& lookup : lookups) scope.spawn(look(client, permits, lookup));
  co_await scope.join();
  for (auto& lookup : lookups) {
    if (lookup.reply) continue;
    if (lookup.reply.error().code != Code::not_found) co_return fail(std::move(lookup.reply).error());
    lookup.reply = Json();
  }
  co_return Result<void>{};
}

io::Task<Result<Json>> inspect_volume_named(engine::Client& client, std::string name) {
  co_return co_await engine::inspect_volume(client, std::move(name));
}

bool is_named(const Json& item, const std::string& name) {
  if (item["Name"].text() == name) return true;
  const auto& names = item["Names"].items();
  return std::any_of(names.begin(), names.end(), [&](const Json& one) { return one.text() == '/' + name; });
}

// What the list has, and what it has not of `names`.
void add(std::vector<Lookup>& lookups, Inspect inspect, const Json& list, const std::vector<std::string>& names) {
  const auto& items = list.items();
  for (const Json& item : items) lookups.push_back({inspect, std::string(item["Id"].text(item["Name"].text()))});
  for (const auto& name : names)
    if (std::none_of(items.begin(), items.end(), [&](const Json& item) { return is_named(item, name); }))
      lookups.push_back({inspect, name});
}

// The images of containers are looked up by id too: what an image supplies is not a difference.
std::vector<std::string> image_names(const Wanted& wanted, const std::vector<Json>& containers) {
  std::vector<std::string> out = wanted.images;
  for (const Json& container : containers) out.emplace_back(container["Image"].text());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  std::erase(out, "");
  return out;
}

/// The lists of a project: containers, networks, volumes.
struct Lists {
  Json containers, networks, volumes;
};

io::Task<Result<Lists>> list(engine::Client& client, const std::string& project) {
  const engine::Query filters{{"label", std::string(label::kProject) + "=" + project}};
  Lists out;
  out.containers = CO_TRY(co_await engine::list_containers(client, {.filters = filters}));
  out.networks = CO_TRY(co_await engine::list_networks(client, filters));
  out.volumes = CO_TRY(co_await engine::list_volumes(client, filters));
  co_return out;
}

}  // namespace

io::Task<Result<Observed>> observe(engine::Client& client, Wanted wanted) {
  Lists lists;
  if (!wanted.project.empty()) lists = CO_TRY(co_await list(client, wanted.project));
  std::vector<Lookup> lookups;
  add(lookups, engine::inspect_container, lists.containers, wanted.containers);
  add(lookups, engine::inspect_network, lists.networks, wanted.networks);
  add(lookups, inspect_volume_named, lists.volumes, wanted.volumes);
  CO_TRY(co_await look_all(client, lookups));

  Replies replies{.version = client.version()};
  for (auto& lookup : lookups) {
    if (lookup.reply->is_null()) continue;
    auto& into = lookup.inspect == engine::inspect_container ? replies.containers
                 : lookup.inspect == engine::inspect_network ? replies.networks
                                                             : replies.volumes;
    into.push_back(std::move(*lookup.reply));
  }

  std::vector<Lookup> images;
  for (auto& name : image_names(wanted, replies.containers)) images.push_back({engine::inspect_image, std::move(name)});
  CO_TRY(co_await look_all(client, images));
  for (auto& image : images)
    if (!image.reply->is_null()) replies.images.emplace_back(std::move(image.name), std::move(*image.reply));
  co_return observed_from(wanted, replies);
}

}  // namespace berth::plan
