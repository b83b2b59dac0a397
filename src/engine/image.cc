#include "engine/image.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/text.h"
#include "engine/progress.h"
#include "engine/reference.h"

namespace berth::engine {
namespace {

constexpr std::chrono::minutes kRemoval{10};  // a big image's layers are deleted within the call

struct Words {
  std::string_view text;
  Code code;
};
// What registries and engines say; the first that fits.
constexpr auto kWords = std::to_array<Words>({
    {"unauthorized", Code::denied},
    {"denied", Code::denied},
    {"authentication required", Code::denied},
    {"no basic auth credentials", Code::denied},
    {"not found", Code::not_found},
    {"manifest unknown", Code::not_found},
    {"does not exist", Code::not_found},
    {"no matching manifest", Code::not_found},
    {"no such host", Code::unavailable},
    {"connection refused", Code::unavailable},
    {"timeout", Code::unavailable},
    {"timed out", Code::unavailable},
    {"network is unreachable", Code::unavailable},
    {"toomanyrequests", Code::unavailable},
});

Headers auth_header(const std::string& auth) {
  if (auth.empty()) return {};
  return {{"X-Registry-Auth", auth}};
}

}  // namespace

Result<void> check_progress(const Json& message) {
  std::string text(message["errorDetail"]["message"].text());
  if (text.empty()) text = message["error"].text();
  if (text.empty()) return {};
  const std::string folded = lower(text);
  const auto* found = std::find_if(kWords.begin(), kWords.end(),
                                   [&](const Words& words) { return folded.find(words.text) != std::string::npos; });
  return fail(found == kWords.end() ? Code::internal : found->code, std::move(text));
}

io::Task<Result<void>> follow_progress(http::Exchange& exchange, const ProgressSink& progress) {
  JsonStream messages(std::move(exchange.body));
  while (true) {
    const auto message = CO_TRY(co_await messages.next());
    if (!message) co_return Result<void>{};
    if (progress) progress(*message);
    CO_TRY(check_progress(*message));
  }
}

io::Task<Result<Json>> list_images(Client& client, Query filters) {
  Call call{.path = "/images/json"};
  if (!filters.empty()) call.query.emplace_back("filters", filters_text(filters));
  co_return co_await client.call(std::move(call));
}

io::Task<Result<Json>> inspect_image(Client& client, std::string name) {
  co_return co_await client.call({.path = path_of("/images/{}/json", name)});
}

io::Task<Result<Json>> image_history(Client& client, std::string name) {
  co_return co_await client.call({.path = path_of("/images/{}/history", name)});
}

io::Task<Result<void>> pull_image(Client& client, PullImage pull, ProgressSink progress) {
  const Reference reference = CO_TRY(parse_reference(pull.name));
  Call call{.method = "POST",
            .path = "/images/create",
            .query = {{"fromImage", reference.repository()}, {"tag", reference.tag_or_digest()}},
            .headers = auth_header(pull.auth),
            .deadline = {}};
  if (!pull.platform.empty()) {
    CO_TRY(client.require(Feature::image_platform, "pull of " + pull.name + " for " + pull.platform));
    call.query.emplace_back("platform", pull.platform);
  }
  auto exchange = CO_TRY(co_await client.stream(std::move(call)));
  co_return co_await follow_progress(exchange, progress);
}

io::Task<Result<void>> push_image(Client& client, std::string name, std::string auth, ProgressSink progress) {
  const Reference reference = CO_TRY(parse_reference(name));
  const std::string credentials = auth.empty() ? encode_base64("{}", Base64::url) : auth;
  auto exchange = CO_TRY(co_await client.stream({.method = "POST",
                                                 .path = path_of("/images/{}/push", reference.repository()),
                                                 .query = {{"tag", reference.tag_or_digest()}},
                                                 .headers = auth_header(credentials),
                                                 .deadline = {}}));
  co_return co_await follow_progress(exchange, progress);
}

io::Task<Result<void>> tag_image(Client& client, std::string source, std::string target) {
  const Reference reference = CO_TRY(parse_reference(target));
  if (!reference.digest.empty()) co_return fail(Code::invalid, "image " + target + ": a tag cannot be a digest");
  CO_TRY(co_await client.call({.method = "POST",
                               .path = path_of("/images/{}/tag", source),
                               .query = {{"repo", reference.repository()}, {"tag", reference.tag_or_digest()}}}));
  co_return Result<void>{};
}

io::Task<Result<Json>> remove_image(Client& client, std::string name, RemoveImage how) {
  Call call{.method = "DELETE", .path = path_of("/images/{}", name), .deadline = kRemoval};
  if (how.force) call.query.emplace_back("force", "1");
  if (how.keep_parents) call.query.emplace_back("noprune", "1");
  co_return co_await client.call(std::move(call));
}

io::Task<Result<void>> load_images(Client& client, http::Source tar, ProgressSink progress) {
  const http::Consumer follow = [&](http::Exchange& exchange) { return follow_progress(exchange, progress); };
  Call call{.method = "POST", .path = "/images/load", .query = {{"quiet", progress ? "0" : "1"}}};
  co_return co_await client.upload(std::move(call), std::move(tar), follow);
}

io::Task<Result<std::string>> import_image(Client& client, std::string reference, std::string tar) {
  std::string id;
  const ProgressSink note = [&id](const Json& message) { id = message["status"].text(id); };
  const http::Consumer follow = [&](http::Exchange& exchange) { return follow_progress(exchange, note); };
  bool sent = false;
  const auto once = [](const std::string& bytes, bool& done) -> io::Task<Result<std::string_view>> {
    co_return std::exchange(done, true) ? std::string_view() : std::string_view(bytes);
  };
  const http::Source source = [&] { return once(tar, sent); };
  Call call{.method = "POST", .path = "/images/create", .query = {{"fromSrc", "-"}, {"repo", std::move(reference)}}};
  CO_TRY(co_await client.upload(std::move(call), source, follow));
  if (!id.starts_with("sha256:")) co_return fail(Code::internal, "the engine did not name the image that it imported");
  co_return id;
}

io::Task<Result<http::Exchange>> save_images(Client& client, std::vector<std::string> names) {
  Call call{.path = "/images/get", .deadline = std::chrono::minutes(10)};
  for (std::string& name : names) call.query.emplace_back("names", std::move(name));
  co_return co_await client.stream(std::move(call));
}

}  // namespace berth::engine
