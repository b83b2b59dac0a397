// What core asks about the cache over the control channel, and the edge's answer. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace berth::edge {

/// What a purge takes away.
struct CachePurge {
  enum class By { url, prefix, tag, all } by = By::url;
  std::string what{};  ///< a key (edge/cache_key.h), the beginning of keys, a tag
};
/// "url", "prefix", "tag", "all".
std::optional<CachePurge::By> purge_kind(std::string_view text);
std::string_view to_text(CachePurge::By by);
/// The purges that a person's words mean: a URL without a scheme is meant for both. Code::invalid for what is no URL.
Result<std::vector<CachePurge>> purges_of(CachePurge::By by, std::string_view what);

/// One frame from core beside snapshots; without `purge` it asks for the counters.
struct CacheCommand {
  std::uint64_t id = 0;  ///< comes back as the version of EdgeEvent::Kind::answered
  std::optional<CachePurge> purge{};
};
std::string encode_command(const CacheCommand& command);
bool is_command(std::string_view payload);
Result<CacheCommand> decode_command(std::string_view payload);

}  // namespace berth::edge
