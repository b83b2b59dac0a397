// The contract of the fifth seed: /api/containers and /api/images with the shapes that its document prints.
#include <algorithm>

#include "api/engine_world.h"
#include "api/log_desk.h"
#include "base/text.h"
#include "engine/container.h"
#include "engine/image.h"

namespace berth::api {
namespace {

// "initializing" until it runs; what has ended is as the engine calls it.
std::string_view status_of(std::string_view state) {
  return state == "created" || state == "restarting" ? "initializing" : state;
}

// "8080:3000": published ports only, each once.
Json ports_of(const Json& ports) {
  std::vector<std::string> texts;
  for (const Json& port : ports.items()) {
    if (port["PublicPort"].integer() == 0) continue;
    texts.push_back(std::to_string(port["PublicPort"].integer()) + ":" + std::to_string(port["PrivatePort"].integer()));
  }
  std::ranges::sort(texts);
  texts.erase(std::ranges::unique(texts).begin(), texts.end());
  Json out = Json::array();
  for (auto& text : texts) out.push(std::move(text));
  return out;
}

io::Task<Result<Reply>> list(EngineWorld& world, Call& call) {
  const auto summaries = CO_TRY(co_await world.desk.list(Kind::container));
  Json out = Json::array();
  for (const Json& summary : summaries->items()) {
    const ContainerItem item = container_item(summary);
    if (!may_view(call, item.project)) continue;
    out.push(Json::object({{"id", item.id},
                           {"name", item.name},
                           {"image", item.image},
                           {"status", status_of(item.state)},
                           {"createdAt", summary["Created"].integer() * 1000},
                           {"ports", ports_of(summary["Ports"])}}));
  }
  co_return Reply{.body = Json::object({{"containers", std::move(out)}})};
}

std::vector<std::string> texts_of(const Json& lines) {
  std::vector<std::string> out;
  for (const Json& line : lines.items()) out.emplace_back(line.text());
  return out;
}

// What the pull and the start really said.
io::Task<Result<Reply>> create(EngineWorld& world, Call& call) {
  CreateOrder wanted = CO_TRY(create_order(call.body, CO_TRY(co_await limits_of(world))));
  call.record.subject = "container:" + wanted.name;
  const std::string name = wanted.name;
  Json logs = Json::array();
  const TellLine tell = [&logs](std::string_view line, const Json& progress) {
    if (progress.is_null()) logs.push("[init] " + std::string(line));
  };
  std::string id = CO_TRY(co_await create_and_start(world, std::move(wanted), tell));
  const auto containers = CO_TRY(co_await world.desk.containers());
  const auto found = std::ranges::find(*containers, id, &ContainerItem::id);
  const std::string shown = found == containers->end() ? name : found->name;
  world.logs.began(id, texts_of(logs));
  call.record.subject = "container:" + shown;
  co_return Reply{
      .status = 201,
      .body = Json::object({{"id", std::move(id)}, {"name", shown}, {"status", "initializing"}, {"logs", logs}})};
}

// One that has stopped already, or runs, is removed all the same.
io::Task<Result<Reply>> remove(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::remove));
  const auto client = CO_TRY(world.desk.client());
  CO_TRY(co_await engine::stop_container(*client, item.id));
  CO_TRY(co_await engine::remove_container(*client, item.id, {.force = true}));
  world.desk.changed(Kind::container);
  co_return Reply{.body = Json::object({{"success", true}, {"id", call.parameter("id")}})};
}

// An image has an item for each of its repositories: "name" is one name.
io::Task<Result<Reply>> list_all_images(EngineWorld& world, Call&) {
  const auto images = CO_TRY(co_await world.desk.list(Kind::image));
  Json out = Json::array();
  for (const Json& image : images->items()) {
    Json names = Json::object();
    for (const Json& reference : image["RepoTags"].items()) {
      const Cut parts = cut_last(reference.text(), ':');
      if (parts.before == "<none>") continue;
      if (!names.contains(parts.before)) names.set(parts.before, Json::array());
      names.slot(parts.before).push(parts.after);
    }
    if (names.size() == 0) names.set("", Json::array());
    for (const auto& [name, tags] : names.members())
      out.push(Json::object({{"id", image["Id"].text()}, {"name", name}, {"tags", tags}}));
  }
  co_return Reply{.body = Json::object({{"images", std::move(out)}})};
}

io::Task<Result<Reply>> remove_one(EngineWorld& world, Call& call) {
  const std::string id(call.parameter("id"));
  const auto client = CO_TRY(world.desk.client());
  CO_TRY(co_await engine::remove_image(*client, id, {.force = true}));
  world.desk.changed(Kind::image);
  co_return Reply{.body = Json::object({{"success", true}, {"id", id}})};
}

// "18" of every repository of this image that has it, or a whole reference.
io::Task<Result<Reply>> untag(EngineWorld& world, Call& call) {
  const std::string id(call.parameter("id")), tag(call.parameter("tag"));
  const auto client = CO_TRY(world.desk.client());
  const Json image = CO_TRY(co_await engine::inspect_image(*client, id));
  bool removed = false;
  for (const Json& reference : image["RepoTags"].items()) {
    if (reference.text() != tag && cut_last(reference.text(), ':').after != tag) continue;
    CO_TRY(co_await engine::remove_image(*client, std::string(reference.text())));
    removed = true;
  }
  world.desk.changed(Kind::image);
  if (!removed) co_return fail(Code::not_found, "image " + id + " has no tag \"" + tag + "\"");
  co_return Reply{.body = Json::object({{"success", true}, {"id", id}, {"tag", tag}})};
}

Route change(std::string_view method, std::string_view path, std::string_view summary, Answer answer,
             std::string_view verb) {
  return {.method = method,
          .path = path,
          .needs = Permission::engine,
          .where = Where::whole,
          .summary = summary,
          .handler = std::move(answer),
          .verb = verb,
          .deadline = std::chrono::minutes(11)};
}

}  // namespace

Routes plain_routes(EngineWorld& world) {
  Route creates = change("POST", "/api/containers", "Create and start a container", at_engine(world, create),
                         "plain.container.create");
  creates.fields = {{.name = "image", .required = true},
                    {.name = "name"},
                    {.name = "ports", .type = "array", .meaning = "HOST:CONTAINER"}};
  Route removes = change("DELETE", "/api/containers/{id}", "Stop and remove it", at_engine(world, remove),
                         "plain.container.remove");
  removes.needs = Permission::remove;
  removes.where = Where::loaded;
  return {
      {.method = "GET",
       .path = "/api/containers",
       .needs = Permission::view,
       .where = Where::loaded,
       .summary = "All containers",
       .handler = at_engine(world, list),
       .verb = "plain.containers"},
      std::move(creates),
      std::move(removes),
      {.method = "GET",
       .path = "/api/images",
       .needs = Permission::engine,
       .where = Where::whole,
       .summary = "All images",
       .handler = at_engine(world, list_all_images),
       .verb = "plain.images"},
      change("DELETE", "/api/images/{id}", "Remove an image", at_engine(world, remove_one), "plain.image.remove"),
      change("DELETE", "/api/images/{id}/tags/{tag*}", "Remove a tag", at_engine(world, untag), "plain.image.untag")};
}

}  // namespace berth::api
