#include "api/project_routes.h"

#include "api/project_show.h"
#include "compose/config.h"

namespace berth::api {
namespace {

std::string name_in(const Call& call) {
  return std::string(call.parameter("project"));
}

Result<std::vector<std::string>> services_in(const Call& call) {
  std::vector<std::string> out;
  for (const Json& name : call.body["services"].items()) {
    if (!name.is_text()) return fail(Code::invalid, "services is a list of names");
    out.emplace_back(name.text());
  }
  return out;
}

io::Task<Result<Reply>> list_projects(ProjectDesk& desk, Call& call) {
  auto listed = CO_TRY(co_await desk.list(call.who));
  co_return page(call, std::move(listed.items), std::move(listed.stale));
}

io::Task<Result<Reply>> show_project(ProjectDesk& desk, Call& call) {
  co_return Reply{.body = CO_TRY(co_await desk.show(name_in(call)))};
}

// Validated and saved, nothing applied.
io::Task<Result<Reply>> create_project(ProjectDesk& desk, Call& call) {
  const std::string name(call.body["name"].text());
  CO_TRY(check_project_name(name));
  if (!auth::may(call.who, Permission::deploy, name)) {
    call.denied = true;
    co_return fail(Code::denied, "making project " + name + " needs the permission \"deploy\" in it");
  }
  const auto files = CO_TRY(file_texts(call.body["files"]));
  auto verdict = CO_TRY(co_await desk.validate(name, files));
  if (!verdict["ok"].boolean()) {
    Reply refused = problem(400, "invalid", verdict["problems"].items().front()["message"].text());
    refused.body.set("problems", verdict["problems"]);
    co_return refused;
  }
  CO_TRY(co_await off_loop<void>([&] { return desk.folders().create(name, files); }));
  call.record.subject = "project:" + name;
  call.record.project = name;
  verdict.set("name", name);
  co_return Reply{.status = 201, .body = std::move(verdict), .headers = {{"Location", "/api/v1/projects/" + name}}};
}

io::Task<Result<Reply>> plan_project(ProjectDesk& desk, Call& call) {
  auto services = CO_TRY(services_in(call));
  co_return Reply{.body = CO_TRY(co_await desk.plan(
                      name_in(call), {.services = std::move(services), .options = call.body["options"]}, call.who))};
}

io::Task<Result<Reply>> apply_project(ProjectDesk& desk, Call& call) {
  const std::string plan(call.body["plan"].text());
  if (!plan.empty()) call.record.difference = Json::object({{"plan", plan}});
  co_return accepted(CO_TRY(co_await desk.apply(name_in(call), plan, call.who)));
}

// "/api/v1/projects/{project}/stop" -> stop
io::Task<Result<Reply>> run_verb(ProjectDesk& desk, Call& call) {
  const std::string_view path = call.head->path;
  auto services = CO_TRY(services_in(call));
  if (!services.empty()) call.record.difference = Json::object({{"services", call.body["services"]}});
  co_return accepted(CO_TRY(
      co_await desk.verb(name_in(call), std::string(path.substr(path.rfind('/') + 1)), std::move(services), call.who)));
}

io::Task<Result<Reply>> show_removal_of(ProjectDesk& desk, Call& call) {
  co_return Reply{.body = CO_TRY(co_await desk.removal(name_in(call)))};
}

io::Task<Result<Reply>> remove_project(ProjectDesk& desk, Call& call) {
  if (call.body["confirm"].text() != call.parameter("project"))
    co_return fail(Code::invalid, "confirm is the name of the project that goes: " + name_in(call));
  const bool volumes = call.body["volumes"].boolean();
  call.record.difference = Json::object({{"volumes", volumes}});
  co_return accepted(CO_TRY(co_await desk.remove(name_in(call), volumes, call.who)));
}

io::Task<Result<Reply>> list_history(ProjectDesk& desk, Call& call) {
  co_return page(call, show_history(CO_TRY(co_await desk.history(name_in(call)))));
}

io::Task<Result<Reply>> roll_back(ProjectDesk& desk, Call& call) {
  const ProjectDesk::BackWish wish{.generation = static_cast<int>(call.body["generation"].integer()),
                                   .plan = std::string(call.body["plan"].text()),
                                   .confirmed = call.body["confirm"].boolean()};
  call.record.difference = Json::object({{"generation", wish.generation}});
  if (!wish.plan.empty()) call.record.difference.set("plan", wish.plan);
  co_return accepted(CO_TRY(co_await desk.roll_back(name_in(call), wish, call.who)));
}

io::Task<Result<Reply>> plan_back(ProjectDesk& desk, Call& call) {
  co_return Reply{.body = CO_TRY(co_await desk.plan_back(
                      name_in(call), static_cast<int>(call.body["generation"].integer()), call.who))};
}

io::Task<Result<Reply>> adopt_project(ProjectDesk& desk, Call& call) {
  const bool confirmed = call.body["confirm"].boolean();
  call.record.difference = Json::object({{"confirmed", confirmed}});
  co_return Reply{.body = CO_TRY(co_await desk.adopt(name_in(call), confirmed, call.who))};
}

io::Task<Result<Reply>> list_environment(ProjectDesk& desk, Call& call) {
  const auto loaded = CO_TRY(co_await desk.load(name_in(call)));
  const bool reveal = call.flag("reveal");
  if (reveal && !auth::may(call.who, Permission::reveal, name_in(call))) {
    call.denied = true;
    co_return fail(Code::denied, "seeing values needs the permission \"reveal\"");
  }
  co_return page(call, show_environment(loaded.project, desk.folders().path_of(name_in(call)), reveal));
}

io::Task<Result<Reply>> list_volumes(ProjectDesk& desk, Call& call) {
  const auto loaded = CO_TRY(co_await desk.load(name_in(call)));
  co_return page(call, show_volumes(loaded.project, co_await desk.volume_usage()));
}

io::Task<Result<void>> show_config(ProjectDesk& desk, Call& call) {
  const auto loaded = CO_TRY(co_await desk.load(name_in(call)));
  const bool yaml = call.option("format") == "yaml";
  const Headers headers{{"Content-Type", yaml ? "text/plain; charset=utf-8" : "application/json"},
                        {"Cache-Control", "no-store"},
                        {"X-Content-Type-Options", "nosniff"}};
  co_return co_await call.response->send(
      200, headers, yaml ? compose::config_yaml(loaded.project) : compose::config_json(loaded.project));
}

Route about(Permission needs, std::string_view method, std::string_view path, std::string_view summary,
            std::variant<Answer, Stream> handler) {
  return {.method = method,
          .path = path,
          .needs = needs,
          .where = Where::project,
          .summary = summary,
          .handler = std::move(handler)};
}
Route with(Route route, std::string_view verb, std::vector<Parameter> fields = {}) {
  route.verb = verb;
  route.fields = std::move(fields);
  return route;
}
// For what only looks, however much it needs to be asked: no entry in the audit but for who was denied.
Route looking(Route route) {
  route.records = false;
  return route;
}
Route asking(Route route, std::vector<Parameter> query) {
  route.query = std::move(query);
  return route;
}

const std::vector<Parameter> kPaged = {{.name = "limit", .type = "integer"}, {.name = "cursor"}};
const Parameter kServices{.name = "services", .type = "array", .meaning = "names; all of them without"};

Routes change_routes(ProjectDesk& desk) {
  const auto verb = [&](Permission needs, std::string_view path, std::string_view summary, std::string_view name) {
    return with(about(needs, "POST", path, summary, at_projects(desk, run_verb)), name, {kServices});
  };
  return {
      looking(with(
          about(Permission::deploy, "POST", "/api/v1/projects/{project}/plan", "What up would do, and why",
                at_projects(desk, plan_project)),
          "project.plan",
          {kServices,
           {.name = "options",
            .type = "object",
            .meaning = "build, pull, forceRecreate, noRecreate, removeOrphans, renewAnonVolumes, wait, rolling"}})),
      with(about(Permission::deploy, "POST", "/api/v1/projects/{project}/apply",
                 "Carry out a plan; 409 moved when it is not what would be done now", at_projects(desk, apply_project)),
           "project.apply", {{.name = "plan", .meaning = "id of a plan that was shown"}}),
      verb(Permission::act, "/api/v1/projects/{project}/start", "Start its containers", "project.start"),
      verb(Permission::act, "/api/v1/projects/{project}/stop", "Stop its containers", "project.stop"),
      verb(Permission::act, "/api/v1/projects/{project}/restart", "Restart its containers", "project.restart"),
      verb(Permission::deploy, "/api/v1/projects/{project}/down", "Remove its containers and networks; volumes stay",
           "project.down"),
      verb(Permission::deploy, "/api/v1/projects/{project}/pull", "Pull its images", "project.pull"),
      with(about(Permission::deploy, "POST", "/api/v1/projects/{project}/rollback",
                 "Back to a generation, without one to that before the last", at_projects(desk, roll_back)),
           "project.rollback",
           {{.name = "generation", .type = "integer"},
            {.name = "plan", .meaning = "id of a plan of it that was shown"},
            {.name = "confirm", .type = "boolean", .meaning = "also where data is at risk"}}),
      looking(with(about(Permission::deploy, "POST", "/api/v1/projects/{project}/rollback/plan",
                         "What going back to a generation would do, and why", at_projects(desk, plan_back)),
                   "project.rollback.plan", {{.name = "generation", .type = "integer"}})),
      with(about(Permission::engine, "POST", "/api/v1/projects/{project}/adopt",
                 "Manage a project of others, in its own folder; it changes no container",
                 at_projects(desk, adopt_project)),
           "project.adopt", {{.name = "confirm", .type = "boolean", .meaning = "do it; without it only told"}}),
      with(about(Permission::remove, "DELETE", "/api/v1/projects/{project}", "Take it down and remove its files",
                 at_projects(desk, remove_project)),
           "project.remove",
           {{.name = "volumes", .type = "boolean", .meaning = "with its volumes"},
            {.name = "confirm", .meaning = "the project's name", .required = true}}),
  };
}

}  // namespace

Routes project_routes(ProjectDesk& desk) {
  const auto look = [&](Permission needs, std::string_view path, std::string_view summary, ProjectAnswer answer) {
    return asking(about(needs, "GET", path, summary, at_projects(desk, answer)), kPaged);
  };
  Routes out = {
      look(Permission::view, "/api/v1/projects", "All projects, of berth and of others", list_projects),
      with(about(Permission::deploy, "POST", "/api/v1/projects", "Keep a new project; nothing is applied",
                 at_projects(desk, create_project)),
           "project.create",
           {{.name = "name", .required = true},
            {.name = "files", .type = "object", .meaning = "path -> text", .required = true}}),
      about(Permission::view, "GET", "/api/v1/projects/{project}",
            "One project, its services and what is wrong with it", at_projects(desk, show_project)),
      about(Permission::view, "GET", "/api/v1/projects/{project}/removal", "What would be lost with it",
            at_projects(desk, show_removal_of)),
      look(Permission::view, "/api/v1/projects/{project}/history", "Its generations, the newest first", list_history),
      asking(about(Permission::view, "GET", "/api/v1/projects/{project}/environment",
                   "Variables of its services and where they are written", at_projects(desk, list_environment)),
             {{.name = "reveal", .type = "boolean"}, {.name = "limit", .type = "integer"}, {.name = "cursor"}}),
      look(Permission::view, "/api/v1/projects/{project}/volumes", "Volumes that it declares, with sizes",
           list_volumes),
      asking(about(Permission::reveal, "GET", "/api/v1/projects/{project}/config", "The canonical model",
                   Stream([&desk](Call& call) { return show_config(desk, call); })),
             {{.name = "format", .meaning = "json or yaml"}}),
  };
  out[0].where = out[1].where = Where::loaded;
  out[1].most_body = kMostProjectBytes * 2;
  for (auto& route : change_routes(desk)) out.push_back(std::move(route));
  for (auto& route : project_file_routes(desk)) out.push_back(std::move(route));
  return out;
}

}  // namespace berth::api
