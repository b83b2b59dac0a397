#include "edge/cache_command.h"

#include <algorithm>
#include <array>

#include "edge/cache_key.h"

namespace berth::edge {
namespace {

constexpr std::array<std::string_view, 4> kKinds = {"url", "prefix", "tag", "all"};
constexpr std::string_view kBegin = R"({"command":"cache")";
constexpr std::size_t kMostText = 8192;

}  // namespace

std::optional<CachePurge::By> purge_kind(std::string_view text) {
  const auto found = std::ranges::find(kKinds, text);
  if (found == kKinds.end()) return std::nullopt;
  return static_cast<CachePurge::By>(found - kKinds.begin());
}

std::string_view to_text(CachePurge::By by) {
  return kKinds[static_cast<std::size_t>(by)];
}

Result<std::vector<CachePurge>> purges_of(CachePurge::By by, std::string_view what) {
  using By = CachePurge::By;
  if (by == By::all) return std::vector<CachePurge>{{by, {}}};
  if (what.empty() || what.size() > kMostText) return fail(Code::invalid, "purge: say what, in at most 8192 bytes");
  if (by == By::tag) return std::vector<CachePurge>{{by, std::string(what)}};
  std::vector<CachePurge> purges;
  for (const std::string_view scheme : {"https", "http"}) {
    const bool whole = what.contains("://");
    std::string key = cache_key_of(whole ? std::string(what) : std::string(scheme) + "://" + std::string(what));
    if (key.empty()) {
      return fail(Code::invalid, "purge: \"" + std::string(what) + "\" is no URL such as https://app.example.com/page");
    }
    purges.push_back({by, std::move(key)});
    if (whole) break;
  }
  return purges;
}

std::string encode_command(const CacheCommand& command) {
  Json json = Json::object({{"command", "cache"}, {"id", static_cast<std::int64_t>(command.id)}});
  if (command.purge) {
    json.set("purge", to_text(command.purge->by));
    json.set("what", command.purge->what);
  }
  return json.dump();
}

bool is_command(std::string_view payload) {
  return payload.starts_with(kBegin);
}

Result<CacheCommand> decode_command(std::string_view payload) {
  const Json json = TRY(parse_json(payload, {.bytes = 64u << 10, .depth = 4}));
  CacheCommand command{.id = static_cast<std::uint64_t>(json["id"].integer())};
  if (!json.contains("purge")) return command;
  const auto by = purge_kind(json["purge"].text());
  if (!by) return fail(Code::invalid, "a command for the cache has no known kind of purge");
  command.purge = CachePurge{*by, std::string(json["what"].text())};
  return command;
}

}  // namespace berth::edge
