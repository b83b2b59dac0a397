// Stored replies as the bytes of a file, and back. Pure.
//
// A file carries the checksums of its parts, because it is written without waiting for the disk: what a power loss tore
// is found when it is read, and is as good as not there. Numbers are little-endian.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "edge/cache_fresh.h"
#include "edge/cache_shard.h"

namespace berth::edge {

/// The replies of one URL.
struct CacheRecord {
  std::string key;
  SharedVariants variants;  ///< never null or empty
};
/// REQUIRES: the bodies are complete. `now` is when it is written.
std::string encode_record(std::string_view key, const Variants& variants, CacheMoment now);
/// Code::invalid for anything but what encode_record() made. Ages go on from the wall clock, and never backwards.
Result<CacheRecord> decode_record(std::string_view bytes, CacheMoment now);

/// What is asked of a record without reading it whole.
struct RecordHead {
  std::string key;
  std::vector<std::string> tags;  ///< of all its replies
  std::uint64_t size = 0;         ///< bytes of the record
};
/// `bytes`: its first ones. Code::invalid also when they are too few.
Result<RecordHead> decode_record_head(std::string_view bytes);

}  // namespace berth::edge
