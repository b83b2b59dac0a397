// What is received before it can be used, on disk and under no name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/socket.h"

namespace berth::io {

/// A file that is gone when it is closed, also by kill -9. All calls block. Thread: one at a time.
class Spool {
 public:
  /// In `folder`, which is made (0700) when it is missing.
  static Result<Spool> open(const std::string& folder);
  /// Code::unavailable names the folder when there is no room.
  Result<void> append(std::string_view bytes);
  /// At most `most` bytes from `at` on; fewer at the end, "" behind it.
  Result<std::string> read(std::uint64_t at, std::size_t most) const;
  std::uint64_t size() const { return size_; }

 private:
  Spool(Fd fd, std::string folder) : fd_(std::move(fd)), folder_(std::move(folder)) {}
  Fd fd_;
  std::string folder_;
  std::uint64_t size_ = 0;
};

}  // namespace berth::io
