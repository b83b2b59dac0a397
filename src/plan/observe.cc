#include "plan/observe.h"

#include <set>
#include <span>

#include "engine/container.h"
#include "engine/image.h"
#include "engine/network.h"
#include "io/scope.h"

namespace berth::plan {
namespace {

constexpr std::size_t kAtATime = 16;

using Asking = io::Task<Result<Json>> (*)(engine::Client&, std::string);

/// One look-up: what is asked, and what came of it; null for what does not exist (any more).
struct Lookup {
  Asking ask;
  std::string name{};
  Result<Json> reply = Json();
};

io::Task<void> look(engine::Client& client, io::Semaphore& permits, Lookup& lookup) {
  if (auto permit = co_await permits.acquire(); !permit) {
    lookup.reply = fail(std::move(permit).error());
    co_return;
  }
  lookup.reply = co_await lookup.ask(client, lookup.name);
  permits.release();
}

// All at once, a bounded number at a time.
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

io::Task<Result<Json>> list_containers_of(engine::Client& client, std::string project) {
  const engine::Query filters{{"label", std::string(label::kProject) + "=" + project}};
  co_return co_await engine::list_containers(client, {.filters = filters});
}
io::Task<Result<Json>> list_networks_of(engine::Client& client, std::string project) {
  co_return co_await engine::list_networks(client, {{"label", std::string(label::kProject) + "=" + project}});
}
io::Task<Result<Json>> list_volumes_of(engine::Client& client, std::string project) {
  co_return co_await engine::list_volumes(client, {{"label", std::string(label::kProject) + "=" + project}});
}
io::Task<Result<Json>> inspect_volume_named(engine::Client& client, std::string name) {
  co_return co_await engine::inspect_volume(client, std::move(name));
}

// The names that an item of a list has: containers have several, with a slash.
std::set<std::string_view> names_in(const Json& list) {
  std::set<std::string_view> names;
  for (const Json& item : list.items()) {
    names.insert(item["Name"].text());
    for (const Json& one : item["Names"].items()) {
      const std::string_view name = one.text();
      names.insert(name.starts_with('/') ? name.substr(1) : name);
    }
  }
  return names;
}

void add_unlisted(std::vector<Lookup>& lookups, Asking ask, const Json& list, const std::vector<std::string>& names) {
  const auto listed = names_in(list);
  for (const auto& name : names)
    if (!listed.contains(name)) lookups.push_back({ask, name});
}

// The images of containers are looked up by id too: what an image supplies is not a difference.
void add_images_of(std::vector<Lookup>& lookups, const Json& containers, const Replies& known) {
  std::set<std::string_view> ids;
  for (const auto& image : known.images) ids.insert(image.second["Id"].text());
  for (const Json& container : containers.items())
    if (const auto id = container["ImageID"].text(); !id.empty() && ids.insert(id).second)
      lookups.push_back({engine::inspect_image, std::string(id)});
}

void take(std::vector<Json>& into, std::span<Lookup> lookups) {
  for (Lookup& lookup : lookups)
    if (!lookup.reply->is_null()) into.push_back(std::move(*lookup.reply));
}
void take_images(Replies& replies, std::span<Lookup> lookups) {
  for (Lookup& lookup : lookups)
    if (!lookup.reply->is_null()) replies.images.emplace_back(std::move(lookup.name), std::move(*lookup.reply));
}

/// The lists of a project: containers, networks, volumes.
struct Lists {
  Json containers = Json::array(), networks = Json::array(), volumes = Json::array();
};

// What needs no other answer: the lists, and the images by the names that the project has for them.
io::Task<Result<Lists>> first_round(engine::Client& client, const Wanted& wanted, Replies& replies) {
  std::vector<Lookup> lookups;
  if (!wanted.project.empty())
    for (const auto list : {list_containers_of, list_networks_of, list_volumes_of})
      lookups.push_back({list, wanted.project});
  const std::size_t lists = lookups.size();
  for (const auto& name : wanted.images) lookups.push_back({engine::inspect_image, name});
  CO_TRY(co_await look_all(client, lookups));
  take_images(replies, std::span(lookups).subspan(lists));
  if (lists == 0) co_return Lists{};
  co_return Lists{std::move(*lookups[0].reply), std::move(*lookups[1].reply), std::move(*lookups[2].reply)};
}

// What the lists named but do not tell whole, and what they lack of the names that the project claims.
io::Task<Result<void>> second_round(engine::Client& client, const Wanted& wanted, const Lists& lists,
                                    Replies& replies) {
  std::vector<Lookup> lookups;
  for (const Json& item : lists.containers.items())
    lookups.push_back({engine::inspect_container, std::string(item["Id"].text())});
  add_unlisted(lookups, engine::inspect_container, lists.containers, wanted.containers);
  const std::size_t networks = lookups.size();
  for (const Json& item : lists.networks.items())
    lookups.push_back({engine::inspect_network, std::string(item["Id"].text())});
  add_unlisted(lookups, engine::inspect_network, lists.networks, wanted.networks);
  const std::size_t volumes = lookups.size();
  add_unlisted(lookups, inspect_volume_named, lists.volumes, wanted.volumes);
  const std::size_t images = lookups.size();
  add_images_of(lookups, lists.containers, replies);
  CO_TRY(co_await look_all(client, lookups));
  const std::span all(lookups);
  take(replies.containers, all.first(networks));
  take(replies.networks, all.subspan(networks, volumes - networks));
  // A list of volumes tells all of each.
  replies.volumes = lists.volumes.items();
  take(replies.volumes, all.subspan(volumes, images - volumes));
  take_images(replies, all.subspan(images));
  co_return Result<void>{};
}

// An item of GET /containers/json: what is known of a container without inspecting it.
Container listed_container(const Json& item) {
  Container out{.id = std::string(item["Id"].text()), .state = parse_state(item["State"].text())};
  out.project = item["Labels"][label::kProject].text();
  return out;
}

}  // namespace

io::Task<Result<Neighbours>> observe_neighbours(engine::Client& client, std::string working_dir) {
  Neighbours out;
  const auto volumes = CO_TRY(co_await engine::list_volumes(client, {{"label", std::string(label::kVolume)}}));
  for (const Json& item : volumes.items()) out.volumes.push_back(parse_volume(item));
  const auto containers = CO_TRY(co_await engine::list_containers(
      client, {.filters = {{"label", std::string(label::kWorkingDir) + "=" + working_dir}}}));
  for (const Json& item : containers.items()) out.containers.push_back(listed_container(item));
  co_return out;
}

io::Task<Result<Observed>> observe(engine::Client& client, Wanted wanted) {
  Replies replies{.version = client.version()};
  const Lists lists = CO_TRY(co_await first_round(client, wanted, replies));
  CO_TRY(co_await second_round(client, wanted, lists, replies));
  co_return observed_from(wanted, replies);
}

}  // namespace berth::plan
