// Progress streams of pull, push, build and load, which report their failure inside a 200 reply.
#pragma once

#include "engine/image.h"
#include "engine/output.h"

namespace berth::engine {

/// The error that a message carries, or nothing. Its code is read from the engine's words: not_found, denied,
/// unavailable, else internal. Pure.
Result<void> check_progress(const Json& message);
/// Hands each message to `progress` until the end or the first one with an error.
io::Task<Result<void>> follow_progress(http::Exchange& exchange, const ProgressSink& progress);

}  // namespace berth::engine
