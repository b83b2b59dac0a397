// A stream of bytes as a compressed file with its sum: written once, read back whole. zstd with its own checksums, so
// that `zstd -d` reads it without berth.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::backup {

/// What a stream came to.
struct Stream {
  std::uint64_t bytes = 0;   ///< of what was written, before compression
  std::uint64_t stored = 0;  ///< of the file
  std::string sha256{};      ///< of what was written, hex
  friend bool operator==(const Stream&, const Stream&) = default;
};

/// Writes PATH.part (0600); finish() makes it PATH. Destroyed before, it removes what it wrote. Blocking: on the pool
/// of threads. Thread: one at a time.
class ArchiveWriter {
 public:
  /// Code::conflict when `path` exists, denied or not_found as the folder is.
  static Result<std::unique_ptr<ArchiveWriter>> create(std::string path);
  ~ArchiveWriter();
  /// Code::unavailable when the disk is full.
  Result<void> write(std::string_view bytes);
  /// Synced to the disk and under its name.
  Result<Stream> finish();

 private:
  struct State;
  explicit ArchiveWriter(std::unique_ptr<State> state);
  Result<void> compress(std::string_view bytes, bool last);
  std::unique_ptr<State> state_;
};

/// Reads what ArchiveWriter wrote. Blocking, as above.
class ArchiveReader {
 public:
  /// Code::not_found, denied.
  static Result<std::unique_ptr<ArchiveReader>> open(const std::string& path);
  ~ArchiveReader();
  /// The next piece, valid until the next call; empty at the end. Code::invalid for what is damaged or cut off.
  Result<std::string_view> next();
  /// What was read so far; the sum is that of all only after the end.
  Stream read() const;

 private:
  struct State;
  explicit ArchiveReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace berth::backup
