#include "engine/container.h"

namespace berth::engine {
namespace {

constexpr std::chrono::minutes kUnknownGrace{10};
constexpr std::chrono::minutes kAfterGrace{1};

std::string flag(bool value) {
  return value ? "1" : "0";
}

// A call whose reply, if any, says nothing more.
io::Task<Result<void>> act(Client& client, Call call) {
  CO_TRY(co_await client.call(std::move(call)));
  co_return Result<void>{};
}

// stop and restart: the engine answers once the container ended.
Call ending(std::string_view pattern, const std::string& id, std::optional<std::chrono::seconds> grace) {
  Call call{.method = "POST", .path = path_of(pattern, id)};
  if (grace) call.query.emplace_back("t", std::to_string(grace->count()));
  if (!grace) call.deadline = kUnknownGrace + kAfterGrace;
  if (grace && grace->count() >= 0) call.deadline = *grace + kAfterGrace;
  if (grace && grace->count() < 0) call.deadline = {};
  return call;
}

std::string_view text_of(Until until) {
  switch (until) {
    case Until::not_running:
      return "not-running";
    case Until::next_exit:
      return "next-exit";
    case Until::removed:
      return "removed";
  }
  return "not-running";
}

}  // namespace

io::Task<Result<Json>> list_containers(Client& client, ListContainers which) {
  Call call{.path = "/containers/json", .query = {{"all", flag(which.all)}}};
  if (which.size) call.query.emplace_back("size", "1");
  if (!which.filters.empty()) call.query.emplace_back("filters", filters_text(which.filters));
  co_return co_await client.call(std::move(call));
}

io::Task<Result<Json>> inspect_container(Client& client, std::string id) {
  co_return co_await client.call({.path = path_of("/containers/{}/json", id)});
}

io::Task<Result<Created>> create_container(Client& client, CreateContainer create) {
  Call call{.method = "POST", .path = "/containers/create", .body = std::move(create.body)};
  if (!create.name.empty()) call.query.emplace_back("name", create.name);
  if (!create.platform.empty()) {
    CO_TRY(client.require(Feature::create_platform, "platform " + create.platform));
    call.query.emplace_back("platform", create.platform);
  }
  const Json reply = CO_TRY(co_await client.call(std::move(call)));
  Created created{.id = std::string(reply["Id"].text())};
  for (const Json& warning : reply["Warnings"].items()) created.warnings.emplace_back(warning.text());
  if (created.id.empty()) co_return fail(Code::internal, "the engine created a container without an id");
  co_return created;
}

io::Task<Result<void>> start_container(Client& client, std::string id) {
  co_return co_await act(client, {.method = "POST", .path = path_of("/containers/{}/start", id)});
}

io::Task<Result<void>> stop_container(Client& client, std::string id, std::optional<std::chrono::seconds> grace) {
  co_return co_await act(client, ending("/containers/{}/stop", id, grace));
}

io::Task<Result<void>> restart_container(Client& client, std::string id, std::optional<std::chrono::seconds> grace) {
  co_return co_await act(client, ending("/containers/{}/restart", id, grace));
}

io::Task<Result<void>> kill_container(Client& client, std::string id, std::string signal) {
  Call call{.method = "POST", .path = path_of("/containers/{}/kill", id)};
  if (!signal.empty()) call.query.emplace_back("signal", signal);
  co_return co_await act(client, std::move(call));
}

io::Task<Result<void>> remove_container(Client& client, std::string id, RemoveContainer how) {
  co_return co_await act(client, {.method = "DELETE",
                                  .path = path_of("/containers/{}", id),
                                  .query = {{"force", flag(how.force)}, {"v", flag(how.volumes)}}});
}

io::Task<Result<void>> rename_container(Client& client, std::string id, std::string name) {
  co_return co_await act(client,
                         {.method = "POST", .path = path_of("/containers/{}/rename", id), .query = {{"name", name}}});
}

io::Task<Result<void>> pause_container(Client& client, std::string id) {
  co_return co_await act(client, {.method = "POST", .path = path_of("/containers/{}/pause", id)});
}

io::Task<Result<void>> unpause_container(Client& client, std::string id) {
  co_return co_await act(client, {.method = "POST", .path = path_of("/containers/{}/unpause", id)});
}

io::Task<Result<Json>> update_container(Client& client, std::string id, Json changes) {
  co_return co_await client.call(
      {.method = "POST", .path = path_of("/containers/{}/update", id), .body = std::move(changes)});
}

io::Task<Result<Json>> container_changes(Client& client, std::string id) {
  co_return co_await client.call({.path = path_of("/containers/{}/changes", id)});
}

io::Task<Result<Json>> container_top(Client& client, std::string id, std::string arguments) {
  Call call{.path = path_of("/containers/{}/top", id)};
  if (!arguments.empty()) call.query.emplace_back("ps_args", arguments);
  co_return co_await client.call(std::move(call));
}

io::Task<Result<std::int64_t>> wait_container(Client& client, std::string id, Until until) {
  Call call{.method = "POST", .path = path_of("/containers/{}/wait", id), .deadline = {}};
  if (client.has(Feature::wait_condition)) {
    call.query.emplace_back("condition", text_of(until));
  } else if (until != Until::not_running) {
    CO_TRY(client.require(Feature::wait_condition, "waiting for " + id));
  }
  const Json reply = CO_TRY(co_await client.call(std::move(call)));
  const std::string_view problem = reply["Error"]["Message"].text();
  if (!problem.empty()) co_return fail(Code::internal, "waiting for " + id + ": " + std::string(problem));
  co_return reply["StatusCode"].integer();
}

io::Task<Result<Json>> container_stats(Client& client, std::string id) {
  // Two samples a second apart: without the first, the processor share cannot be told.
  co_return co_await client.call({.path = path_of("/containers/{}/stats", id), .query = {{"stream", "0"}}});
}

io::Task<Result<JsonStream>> stream_stats(Client& client, std::string id) {
  auto exchange =
      CO_TRY(co_await client.stream({.path = path_of("/containers/{}/stats", id), .query = {{"stream", "1"}}}));
  co_return JsonStream(std::move(exchange.body));
}

io::Task<Result<OutputStream>> container_logs(Client& client, std::string id, bool tty, ReadLogs which) {
  Call call{.path = path_of("/containers/{}/logs", id),
            .query = {{"stdout", flag(which.out)}, {"stderr", flag(which.err)}, {"follow", flag(which.follow)}}};
  if (which.timestamps) call.query.emplace_back("timestamps", "1");
  if (!which.since.empty()) call.query.emplace_back("since", which.since);
  if (!which.until.empty()) call.query.emplace_back("until", which.until);
  call.query.emplace_back("tail", which.tail.empty() ? "all" : which.tail);
  auto exchange = CO_TRY(co_await client.stream(std::move(call)));
  co_return OutputStream(std::move(exchange.body), tty);
}

io::Task<Result<Attachment>> attach_container(Client& client, std::string id, Attach how) {
  Call call{.method = "POST",
            .path = path_of("/containers/{}/attach", id),
            .query = {{"stream", "1"},
                      {"stdin", flag(how.in)},
                      {"stdout", flag(how.out)},
                      {"stderr", flag(how.err)},
                      {"logs", flag(how.logs)}}};
  if (!how.detach_keys.empty()) call.query.emplace_back("detachKeys", how.detach_keys);
  co_return Attachment(CO_TRY(co_await client.upgrade(std::move(call))), how.tty);
}

io::Task<Result<void>> resize_container(Client& client, std::string id, int width, int height) {
  co_return co_await act(client, {.method = "POST",
                                  .path = path_of("/containers/{}/resize", id),
                                  .query = {{"w", std::to_string(width)}, {"h", std::to_string(height)}}});
}

}  // namespace berth::engine
