#include <algorithm>

#include "api/engine_world.h"
#include "api/image_prune.h"
#include "engine/image.h"

namespace berth::api {
namespace {

constexpr std::size_t kMost = 1000;  // images of one deed

// As the engine lists them now: what is agreed is compared with it.
io::Task<Result<std::vector<Prunable>>> candidates(EngineWorld& world) {
  world.desk.changed(Kind::image);
  world.desk.changed(Kind::container);
  const auto images = CO_TRY(co_await world.desk.list(Kind::image));
  const auto containers = CO_TRY(co_await world.desk.list(Kind::container));
  if (const Json stale = world.desk.stale(); !stale.is_null())
    co_return fail(Code::unavailable, "the engine does not answer: " + std::string(stale["why"].text()));
  co_return prunable_images(*images, *containers);
}

io::Task<Result<Reply>> preview(EngineWorld& world, Call&) {
  Json items = Json::array();
  std::int64_t bytes = 0;
  for (const Prunable& each : CO_TRY(co_await candidates(world))) {
    items.push(to_json(each));
    bytes += each.size;
  }
  co_return Reply{.body = Json::object({{"images", std::move(items)}, {"bytes", bytes}})};
}

Result<std::vector<Prunable>> agreed(const Json& ids, const std::vector<Prunable>& now) {
  const auto& wanted = ids.items();
  if (wanted.empty() || wanted.size() > kMost)
    return fail(Code::invalid, "images: name ids that GET of the same path lists, at most 1000");
  std::vector<Prunable> out;
  for (const Json& id : wanted) {
    const auto found = std::ranges::find(now, id.text(), &Prunable::id);
    if (found == now.end())
      return fail(Code::moved, "image " + std::string(id.text().substr(0, 80)) +
                                   " is in use, has another name or is gone since it was listed; look again");
    out.push_back(*found);
  }
  return out;
}

// By its names, without force: an image that a container was given meanwhile stays.
io::Task<Result<void>> remove_one(engine::Client& client, const Prunable& image) {
  if (image.tags.empty()) {
    CO_TRY(co_await engine::remove_image(client, image.id));
    co_return Result<void>{};
  }
  for (const std::string& tag : image.tags) CO_TRY(co_await engine::remove_image(client, tag));
  co_return Result<void>{};
}

io::Task<Result<void>> remove_all(EngineWorld& world, std::vector<Prunable> images, job::Log& log) {
  const auto client = CO_TRY(world.desk.client());
  std::size_t left = 0;
  for (const Prunable& each : images) {
    const std::string name = each.tags.empty() ? each.id : each.tags.front();
    const auto removed = co_await remove_one(*client, each);
    // A parent goes with the last of its children.
    if (removed || removed.error().code == Code::not_found) {
      log.say("removed " + name);
      continue;
    }
    ++left;
    log.say("left " + name + ": " + removed.error().message, job::Level::warning);
  }
  world.desk.changed(Kind::image);
  if (left == 0) co_return Result<void>{};
  co_return fail(Code::conflict, std::to_string(left) + " of " + std::to_string(images.size()) +
                                     " images are left; the lines above say why");
}

io::Task<Result<Reply>> prune(EngineWorld& world, Call& call) {
  const auto now = CO_TRY(co_await candidates(world));
  const auto images = CO_TRY(agreed(call.body["images"], now));
  call.record.subject = "images:" + std::to_string(images.size());
  call.record.difference = Json::object({{"images", call.body["images"]}});
  co_return co_await order(world, call, "image.prune",
                           [&world, images](job::Log& log) { return remove_all(world, images, log); });
}

}  // namespace

Routes image_prune_routes(EngineWorld& world) {
  return {{.method = "GET",
           .path = "/api/v1/images/prune",
           .needs = Permission::engine,
           .where = Where::whole,
           .summary = "Images that no container has and that projects built, berth made or that have no name",
           .handler = at_engine(world, preview),
           .query = {kEngine}},
          {.method = "POST",
           .path = "/api/v1/images/prune",
           .needs = Permission::engine,
           .where = Where::whole,
           .summary = "Remove those of them that are agreed; a job",
           .handler = at_engine(world, prune),
           .fields = {{.name = "images",
                       .type = "array",
                       .meaning = "ids of the list that GET gives; any other is 409",
                       .required = true}},
           .verb = "image.prune"}};
}

}  // namespace berth::api
