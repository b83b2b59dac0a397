// Durations and byte sizes in the text forms of Compose and the Docker Engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth {

/// "1h2m3.5s", "300ms", "1.5h", "0": the durations of Go, with d and w beside (24 h and 7 days). A number without unit
/// is an error, except 0. Code::invalid otherwise, also for what does not fit 64 bits of nanoseconds.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
/// The canonical text, as Go prints it: "1m30s", "1h0m0s", "1.5s", "300ms", "0s".
std::string format_duration(std::chrono::nanoseconds value);

/// Bytes from "64", "2g", "512M", "1.5GiB", "10 kb": binary multiples (1k = 1024), case ignored.
/// Code::invalid otherwise.
Result<std::int64_t> parse_size(std::string_view text);

}  // namespace berth
