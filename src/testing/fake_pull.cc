// Images between the fake engine, its registry and tars.
#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "engine/reference.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr std::int64_t kLayerSize = 2048;
constexpr int kLayers = 2;

struct Telling {
  std::vector<FakeStep> steps;
  std::function<void()> finish;
  std::weak_ptr<FakeFeed> feed;
  std::size_t next = 0;
};

void tell_next(FakeState& state, const std::shared_ptr<Telling>& telling) {
  const auto feed = telling->feed.lock();
  if (!feed) return;  // the client left: the work is given up
  if (telling->next == telling->steps.size()) {
    telling->finish();
    return feed->end();
  }
  const FakeStep& step = telling->steps[telling->next++];
  state.agenda.in(step.after, [&state, telling, message = step.message] {
    if (const auto to = telling->feed.lock()) to->push(message.dump() + "\r\n");
    tell_next(state, telling);
  });
}

void add_layer(std::vector<FakeStep>& steps, const std::string& id, io::Duration time) {
  const auto progress = [&](std::string_view status, std::int64_t current, io::Duration after) {
    Json detail = Json::object();
    if (current > 0) put(detail, {{"current", current}, {"total", kLayerSize}});
    Json message = Json::object({{"status", status}, {"progressDetail", std::move(detail)}});
    if (current > 0) message.set("progress", fmt::format("[>  ]  {}B/{}B", current, kLayerSize));
    steps.push_back({after, with(std::move(message), {{"id", id}})});
  };
  progress("Downloading", kLayerSize / 2, time / 2);
  progress("Downloading", kLayerSize, time - time / 2);
  progress("Download complete", 0, {});
  progress("Extracting", kLayerSize, {});
  progress("Pull complete", 0, {});
}

std::vector<FakeStep> pull_steps(const FakeRemote& remote, std::string_view reference, bool newer) {
  std::vector<FakeStep> steps;
  const auto say = [&](std::string text) { steps.push_back({.message = Json::object({{"status", std::move(text)}})}); };
  const Cut parts = cut_last(reference, ':');
  const auto parsed = engine::parse_reference(reference);
  say("Pulling from " + (parsed ? parsed->path : std::string(parts.before)));
  steps.back().message.set("id", parts.after);
  for (int layer = 0; newer && layer < kLayers; ++layer) {
    const std::string id = sha256_hex(fmt::format("{}{}", reference, layer)).substr(0, 12);
    steps.push_back(
        {.message = Json::object({{"status", "Pulling fs layer"}, {"progressDetail", Json::object()}, {"id", id}})});
    if (!remote.error.empty() && layer + 1 == kLayers) {
      steps.push_back({.message = error_step(remote.error)});
      return steps;
    }
    add_layer(steps, id, remote.layer_time);
  }
  say("Digest: sha256:" + sha256_hex(reference));
  say(newer ? fmt::format("Status: Downloaded newer image for {}", reference)
            : fmt::format("Status: Image is up to date for {}", reference));
  return steps;
}

// repository@digest of what was pulled.
std::string pinned_name(const std::string& full, const std::string& id) {
  if (full.find('@') != full.npos) return full;
  return fmt::format("{}@sha256:{}", cut_last(full, ':').before, sha256_hex(full + id));
}

FakeReply pull(FakeState& state, const FakeArgs& args) {
  std::string asked(args.value("fromImage"));
  if (asked.empty()) return refuse(500, "the fake engine imports no images");
  const std::string_view tag = args.value("tag");
  if (!tag.empty()) asked.append(tag.starts_with("sha256:") ? "@" : ":").append(tag);
  const auto full = full_reference(asked);
  if (!full) return refuse(400, full.error());
  const FakeRemote* remote = find_remote(state, *full, args.header("X-Registry-Auth"));
  if (!remote) return refuse(404, pull_denied(*full));
  const FakeStoredImage* old = state.find_image(*full);
  const FakeStoredImage* known = remote->image.id.empty() ? old : state.find_image(remote->image.id);
  const bool newer = !old || (!remote->image.id.empty() && old != known);
  const bool fails = newer && !remote->error.empty();
  return tell_steps(state, pull_steps(*remote, *full, newer), [&state, full, image = remote->image, fails, newer] {
    if (fails) return;
    if (newer) {
      FakeStoredImage& stored = store_image(state, *full, image);
      const std::string pinned = pinned_name(*full, stored.id);
      if (std::ranges::find(stored.digests, pinned) == stored.digests.end()) stored.digests.push_back(pinned);
    }
    state.emit("image", "pull", *full, Json::object({{"name", cut_last(*full, ':').before}}));
  });
}

FakeReply push(FakeState& state, const FakeArgs& args) {
  if (args.header("X-Registry-Auth").empty()) return refuse(400, "Bad parameters and missing X-Registry-Auth: EOF");
  const std::string_view tag = args.value("tag");
  const auto full = full_reference(std::string(args.name()).append(tag.empty() ? "" : ":").append(tag));
  const FakeStoredImage* image = full ? state.find_image(*full) : nullptr;
  if (!image) return refuse(404, fmt::format("An image does not exist locally with the tag: {}", args.name()));
  state.remotes[*full] = {.image = image->image};
  std::vector<FakeStep> steps{
      {.message =
           Json::object({{"status", fmt::format("The push refers to repository [{}]", cut_last(*full, ':').before)}})}};
  steps.push_back({.message = Json::object(
                       {{"status", "Pushed"}, {"progressDetail", Json::object()}, {"id", short_image(image->id)}})});
  return tell_steps(state, std::move(steps), [] {});
}

FakeReply load(FakeState& state, const FakeArgs& args) {
  const auto entries = read_tar(args.request.body);
  if (!entries) return refuse(500, "archive/tar: invalid tar header");
  std::vector<FakeStep> steps;
  for (const FakeEntry& entry : *entries) {
    if (entry.name != "manifest.json") continue;
    const auto manifest = parse_json(entry.content);
    if (!manifest) return refuse(500, "invalid manifest, cannot be empty");
    for (const Json& item : manifest->items()) {
      for (const Json& tag : item["RepoTags"].items()) {
        store_image(state, tag.text(), {.config = item["FakeConfig"]});
        steps.push_back({.message = Json::object({{"stream", fmt::format("Loaded image: {}\n", tag.text())}})});
      }
    }
  }
  if (steps.empty()) return refuse(500, "open manifest.json: no such file or directory");
  return tell_steps(state, std::move(steps), [] {});
}

FakeReply save(FakeState& state, const FakeArgs& args) {
  Json manifest = Json::array();
  for (const std::string& name : args.values("names")) {
    const FakeStoredImage* image = state.find_image(name);
    const auto full = full_reference(name);
    if (!image || !full) return refuse(404, fmt::format("No such image: {}", full.value_or(name)));
    manifest.push(Json::object({{"Config", image->id.substr(7) + ".json"},
                                {"RepoTags", Json::array({*full})},
                                {"Layers", Json::array()},
                                {"FakeConfig", image->image.config}}));
  }
  return {.headers = {{"Content-Type", "application/x-tar"}},
          .body = write_tar({{.name = "manifest.json", .content = manifest.dump()}})};
}

}  // namespace

FakeReply tell_steps(FakeState& state, std::vector<FakeStep> steps, std::function<void()> finish) {
  FakeReply reply{.headers = {{"Content-Type", "application/json"}}};
  const bool at_once = std::ranges::none_of(steps, [](const FakeStep& step) { return step.after > io::Duration{}; });
  if (at_once) {
    for (const FakeStep& step : steps) reply.body += step.message.dump() + "\r\n";
    finish();
    return reply;
  }
  reply.feed = std::make_shared<FakeFeed>();
  tell_next(state, std::make_shared<Telling>(std::move(steps), std::move(finish), reply.feed));
  return reply;
}

Json error_step(std::string_view message, int code) {
  Json detail = Json::object();
  if (code != 0) detail.set("code", code);
  return Json::object({{"errorDetail", with(std::move(detail), {{"message", message}})}, {"error", message}});
}

const FakeRemote* find_remote(const FakeState& state, std::string_view reference, std::string_view auth) {
  const auto found = state.remotes.find(std::string(reference));
  if (found == state.remotes.end()) return nullptr;
  return found->second.auth.empty() || found->second.auth == auth ? &found->second : nullptr;
}

std::string pull_denied(std::string_view reference) {
  return fmt::format(
      "pull access denied for {}, repository does not exist or may require 'docker login': denied: "
      "requested access to the resource is denied",
      cut_last(reference, ':').before);
}

const std::vector<FakeRoute>& pull_routes() {
  static const std::vector<FakeRoute> routes{
      {"POST", "/images/create", pull},
      {"POST", "/images/load", load},
      {"GET", "/images/get", save},
      {"POST", "/images/{}/push", push, true},
  };
  return routes;
}

}  // namespace berth::testing
