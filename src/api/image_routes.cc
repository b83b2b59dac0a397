#include <algorithm>

#include "api/engine_world.h"
#include "engine/image.h"
#include "engine/reference.h"

namespace berth::api {
namespace {

Json tags_of(const Json& image) {
  Json tags = Json::array();
  for (const Json& tag : image["RepoTags"].items())
    if (tag.text() != "<none>:<none>") tags.push(tag);
  return tags;
}

// Names of containers, running or not.
Json users_of(const Json& image, const Json& containers) {
  Json out = Json::array();
  for (const Json& container : containers.items())
    if (container["ImageID"].text() == image["Id"].text() && !container["Names"].items().empty()) {
      std::string_view name = container["Names"].items()[0].text();
      if (name.starts_with('/')) name.remove_prefix(1);
      out.push(name);
    }
  return out;
}

Json image_item(const Json& image, const Json& containers) {
  Json tags = tags_of(image), used_by = users_of(image, containers);
  const bool dangling = tags.size() == 0;
  return Json::object({{"id", image["Id"].text()},
                       {"tags", std::move(tags)},
                       {"size", image["Size"].integer()},
                       {"createdAt", image["Created"].integer() * 1000},
                       {"usedBy", std::move(used_by)},
                       {"dangling", dangling}});
}

io::Task<Result<Reply>> list(EngineWorld& world, Call& call) {
  const auto images = CO_TRY(co_await world.desk.list(Kind::image));
  const auto containers = CO_TRY(co_await world.desk.list(Kind::container));
  std::vector<Json> items;
  for (const Json& image : images->items()) items.push_back(image_item(image, *containers));
  co_return page(call, std::move(items), world.desk.stale());
}

io::Task<Result<Reply>> show(EngineWorld& world, Call& call) {
  const auto client = CO_TRY(world.desk.client());
  const Json image = CO_TRY(co_await engine::inspect_image(*client, std::string(call.parameter("id"))));
  const auto containers = CO_TRY(co_await world.desk.list(Kind::container));
  co_return Reply{.body = Json::object({{"id", image["Id"].text()},
                                        {"tags", tags_of(image)},
                                        {"usedBy", users_of(image, *containers)},
                                        {"size", image["Size"].integer()},
                                        {"createdAt", milliseconds_of(image["Created"].text())},
                                        {"architecture", image["Architecture"].text()},
                                        {"os", image["Os"].text()},
                                        {"digests", image["RepoDigests"]},
                                        {"config", image["Config"]}})};
}

io::Task<Result<Reply>> layers(EngineWorld& world, Call& call) {
  const auto client = CO_TRY(world.desk.client());
  const Json history = CO_TRY(co_await engine::image_history(*client, std::string(call.parameter("id"))));
  std::vector<Json> items;
  for (const Json& layer : history.items())
    items.push_back(Json::object({{"createdBy", layer["CreatedBy"].text()},
                                  {"size", layer["Size"].integer()},
                                  {"createdAt", layer["Created"].integer() * 1000}}));
  co_return page(call, std::move(items));
}

using Transfer = io::Task<Result<void>> (*)(EngineWorld& world, std::string reference, TellLine tell);

io::Task<Result<void>> transfer_job(EngineWorld& world, Transfer transfer, std::string reference, job::Log& log) {
  const TellLine tell = [&log](std::string_view line, const Json& progress) {
    log.say(line, job::Level::info, progress);
  };
  co_return co_await transfer(world, std::move(reference), tell);
}

io::Task<Result<Reply>> order_transfer(EngineWorld& world, Call& call, std::string kind, Transfer transfer) {
  const std::string reference = CO_TRY(engine::parse_reference(call.body["reference"].text())).text();
  call.record.subject = "image:" + reference;
  co_return co_await api::order(world, call, std::move(kind), [&world, transfer, reference](job::Log& log) {
    return transfer_job(world, transfer, reference, log);
  });
}

io::Task<Result<Reply>> pull(EngineWorld& world, Call& call) {
  return order_transfer(world, call, "image.pull", pull_told);
}
io::Task<Result<Reply>> push(EngineWorld& world, Call& call) {
  return order_transfer(world, call, "image.push", push_told);
}

io::Task<Result<Reply>> tag(EngineWorld& world, Call& call) {
  const auto client = CO_TRY(world.desk.client());
  const std::string target = CO_TRY(engine::parse_reference(call.body["tag"].text())).text();
  call.record.difference = Json::object({{"tag", target}});
  CO_TRY(co_await engine::tag_image(*client, std::string(call.parameter("id")), target));
  world.desk.changed(Kind::image);
  co_return Reply{.status = 204};
}

io::Task<Result<Reply>> remove(EngineWorld& world, Call& call) {
  const auto client = CO_TRY(world.desk.client());
  CO_TRY(co_await engine::remove_image(*client, std::string(call.parameter("id")), {.force = call.flag("force")}));
  world.desk.changed(Kind::image);
  co_return Reply{.status = 204};
}

io::Task<Result<Reply>> untag(EngineWorld& world, Call& call) {
  const std::string id(call.parameter("id"));
  const std::string wanted = CO_TRY(engine::parse_reference(call.parameter("tag"))).text();
  const auto client = CO_TRY(world.desk.client());
  const Json image = CO_TRY(co_await engine::inspect_image(*client, id));
  const auto& tags = image["RepoTags"].items();
  if (std::ranges::none_of(tags, [&](const Json& each) { return each.text() == wanted; }))
    co_return fail(Code::not_found, "image " + id + " has no tag \"" + wanted + "\"");
  CO_TRY(co_await engine::remove_image(*client, wanted));
  world.desk.changed(Kind::image);
  co_return Reply{.status = 204};
}

}  // namespace

Routes image_routes(EngineWorld& world) {
  const auto change = [&](std::string_view method, std::string_view path, std::string_view summary, EngineAnswer answer,
                          std::string_view verb) {
    return Route{.method = method,
                 .path = path,
                 .needs = Permission::engine,
                 .where = Where::whole,
                 .summary = summary,
                 .handler = at_engine(world, answer),
                 .verb = verb};
  };
  Route pulls = change("POST", "/api/v1/images/pull", "Pull an image; a job", pull, "image.pull");
  pulls.fields = {{.name = "reference", .required = true}};
  Route pushes = change("POST", "/api/v1/images/push", "Push an image to its registry; a job", push, "image.push");
  pushes.fields = {{.name = "reference", .required = true}};
  Route tags = change("POST", "/api/v1/images/{id}/tags", "Give it a name", tag, "image.tag");
  tags.fields = {{.name = "tag", .meaning = "a reference", .required = true}};
  Route removes = change("DELETE", "/api/v1/images/{id}", "Remove it", remove, "image.remove");
  removes.query = {kEngine, {.name = "force", .type = "boolean"}};
  return {
      {"GET",
       "/api/v1/images",
       Permission::engine,
       Where::whole,
       "Images",
       at_engine(world, list),
       {kEngine, kLimit, kCursor}},
      {"GET", "/api/v1/images/{id}", Permission::engine, Where::whole, "One image", at_engine(world, show), {kEngine}},
      {"GET",
       "/api/v1/images/{id}/layers",
       Permission::engine,
       Where::whole,
       "How it was made",
       at_engine(world, layers),
       {kEngine, kLimit, kCursor}},
      std::move(pulls),
      std::move(pushes),
      std::move(tags),
      std::move(removes),
      change("DELETE", "/api/v1/images/{id}/tags/{tag*}", "Take a name away", untag, "image.untag")};
}

}  // namespace berth::api
