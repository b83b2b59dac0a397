#include "api/project_routes.h"

namespace berth::api {
namespace {

constexpr std::size_t kMostBody = kMostProjectBytes * 2;

std::string name_in(const Call& call) {
  return std::string(call.parameter("project"));
}

Json file_json(const ProjectFile& file) {
  return Json::object({{"path", file.path}, {"size", file.size}, {"etag", file.etag}, {"changedAt", file.changed_at}});
}

io::Task<Result<Reply>> list_files(ProjectDesk& desk, Call& call) {
  const auto files = CO_TRY(
      co_await off_loop<std::vector<ProjectFile>>([&] { return desk.folders().files(call.parameter("project")); }));
  std::vector<Json> items;
  for (const auto& file : files) items.push_back(file_json(file));
  co_return page(call, std::move(items));
}

std::string quoted(std::string_view etag) {
  return '"' + std::string(etag) + '"';
}

io::Task<Result<void>> read_file(ProjectDesk& desk, Call& call) {
  const auto text = CO_TRY(co_await off_loop<std::string>(
      [&] { return desk.folders().read(call.parameter("project"), std::string(call.parameter("path"))); }));
  const auto etag = quoted(etag_of(text));
  Headers headers{{"ETag", etag}, {"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}};
  if (call.head->fields.get("If-None-Match") == etag) co_return co_await call.response->send(304, headers, "");
  headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  co_return co_await call.response->send(200, headers, text);
}

// `"etag"` or *; without the header the file must be new.
Result<std::string> expected_of(const Call& call) {
  const std::string_view text = call.head->fields.get("If-Match");
  if (text.empty() || text == "*") return std::string(text);
  if (text.size() > 2 && text.front() == '"' && text.back() == '"') return std::string(text.substr(1, text.size() - 2));
  return fail(Code::invalid, "If-Match is one etag in quotes, or *");
}

io::Task<Result<Reply>> write_file(ProjectDesk& desk, Call& call) {
  const std::string path(call.parameter("path"));
  CO_TRY(check_file_path(path));
  const auto expected = CO_TRY(expected_of(call));
  const auto text = CO_TRY(co_await call.request->body(kMostFileBytes));
  const auto etag = CO_TRY(co_await off_loop<std::string>(
      [&] { return desk.folders().write(call.parameter("project"), path, text, expected); }));
  desk.touch(name_in(call));
  call.record.subject = "project:" + name_in(call) + "/" + path;
  call.record.difference = Json::object({{"before", expected}, {"after", etag}, {"bytes", text.size()}});
  co_return Reply{.status = expected.empty() ? 201 : 200,
                  .body = Json::object({{"path", path}, {"size", text.size()}, {"etag", etag}}),
                  .headers = {{"ETag", quoted(etag)}}};
}

io::Task<Result<Reply>> remove_file(ProjectDesk& desk, Call& call) {
  const std::string path(call.parameter("path"));
  auto expected = CO_TRY(expected_of(call));
  if (expected.empty()) co_return fail(Code::invalid, "removing a file needs If-Match with its etag, or *");
  CO_TRY(
      co_await off_loop<void>([&] { return desk.folders().remove_file(call.parameter("project"), path, expected); }));
  desk.touch(name_in(call));
  call.record.subject = "project:" + name_in(call) + "/" + path;
  co_return Reply{.status = 204};
}

io::Task<Result<Reply>> validate_new(ProjectDesk& desk, Call& call) {
  const std::string name(call.body["name"].text("project"));
  // Somebody else's files must not show in an error.
  if (desk.folders().has(name)) {
    if (!auth::may(call.who, Permission::deploy, name))
      co_return fail(Code::conflict, "there is a project " + name + " already; choose another name");
  }
  auto files = CO_TRY(file_texts(call.body["files"]));
  co_return Reply{.body = CO_TRY(co_await desk.validate(name, std::move(files)))};
}

io::Task<Result<Reply>> validate_known(ProjectDesk& desk, Call& call) {
  std::optional<FileTexts> files;
  if (call.body["files"].is_object()) files = CO_TRY(file_texts(call.body["files"]));
  if (!desk.folders().has(name_in(call)) && !files)
    co_return fail(Code::not_found, "berth manages no project " + name_in(call));
  co_return Reply{.body = CO_TRY(co_await desk.validate(name_in(call), std::move(files)))};
}

}  // namespace

Result<FileTexts> file_texts(const Json& files) {
  FileTexts out;
  for (const auto& [path, text] : files.members()) {
    TRY(check_file_path(path));
    if (!text.is_text()) return fail(Code::invalid, "files." + path + " is no text");
    out[path] = text.text();
  }
  if (out.size() > kMostProjectFiles) return fail(Code::invalid, "there are too many files");
  return out;
}

Routes project_file_routes(ProjectDesk& desk) {
  const Parameter files{.name = "files", .type = "object", .meaning = "path -> text"};
  const std::string_view one = "/api/v1/projects/{project}/files/{path*}";
  return {
      {.method = "GET",
       .path = "/api/v1/projects/{project}/files",
       .needs = Permission::view,
       .where = Where::project,
       .summary = "The files of a project that berth manages",
       .handler = at_projects(desk, list_files),
       .query = {{.name = "limit", .type = "integer"}, {.name = "cursor"}}},
      {.method = "GET",
       .path = one,
       .needs = Permission::deploy,
       .where = Where::project,
       .summary = "One file, byte for byte, with its ETag",
       .handler = Stream([&desk](Call& call) { return read_file(desk, call); })},
      {.method = "PUT",
       .path = one,
       .needs = Permission::deploy,
       .where = Where::project,
       .summary = "Write a file: If-Match holds the ETag that was read, or nothing for a new file; 409 moved otherwise",
       .handler = at_projects(desk, write_file),
       .verb = "project.file.write",
       .body = Body::raw},
      {.method = "DELETE",
       .path = one,
       .needs = Permission::deploy,
       .where = Where::project,
       .summary = "Remove a file; If-Match as for writing",
       .handler = at_projects(desk, remove_file),
       .verb = "project.file.remove"},
      {.method = "POST",
       .path = "/api/v1/projects/validate",
       .needs = Permission::self,
       .where = Where::whole,
       .summary = "What is wrong with a project that is not there yet, with file, line and column",
       .handler = at_projects(desk, validate_new),
       .fields = {{.name = "name"}, {.name = "files", .type = "object", .meaning = "path -> text", .required = true}},
       .records = false,
       .verb = "project.validate",
       .most_body = kMostBody},
      {.method = "POST",
       .path = "/api/v1/projects/{project}/validate",
       .needs = Permission::deploy,
       .where = Where::project,
       .summary = "The same for a project; `files` stand over those that are kept",
       .handler = at_projects(desk, validate_known),
       .fields = {files},
       .records = false,
       .verb = "project.validate",
       .most_body = kMostBody},
  };
}

}  // namespace berth::api
