#include "engine/capture.h"

namespace berth::engine {
namespace {

constexpr std::chrono::minutes kCommit{30};  // as long as the container's files take

}  // namespace

io::Task<Result<http::Exchange>> export_container(Client& client, std::string id) {
  co_return co_await client.stream({.path = path_of("/containers/{}/export", id)});
}

io::Task<Result<std::string>> commit_container(Client& client, CommitContainer commit) {
  Call call{.method = "POST",
            .path = "/commit",
            .query = {{"container", commit.container}, {"pause", commit.pause ? "1" : "0"}},
            .deadline = kCommit};
  const auto add = [&](std::string key, const std::string& value) {
    if (!value.empty()) call.query.emplace_back(std::move(key), value);
  };
  add("repo", commit.repository);
  add("tag", commit.tag);
  add("comment", commit.comment);
  add("author", commit.author);
  for (const auto& change : commit.changes) add("changes", change);
  const auto reply = CO_TRY(co_await client.call(std::move(call)));
  if (reply["Id"].text().empty()) co_return fail(Code::internal, "the engine committed an image without an id");
  co_return std::string(reply["Id"].text());
}

io::Task<Result<std::string>> registry_digest(Client& client, std::string name, std::string auth) {
  const auto reply =
      CO_TRY(co_await client.call({.path = path_of("/distribution/{}/json", name),
                                   .headers = auth.empty() ? Headers{} : Headers{{"X-Registry-Auth", auth}}}));
  const auto digest = reply.at("Descriptor.digest").text();
  if (digest.empty()) co_return fail(Code::not_found, "the registry names no digest for " + name);
  co_return std::string(digest);
}

}  // namespace berth::engine
