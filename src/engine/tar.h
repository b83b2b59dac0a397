// Writing tar (POSIX ustar, with pax headers where a field does not fit), block by block. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth::engine {

struct TarEntry {
  enum class Kind { file, folder, symlink, fifo };
  Kind kind = Kind::file;
  std::string path{};      ///< relative, with '/'; a folder's final '/' is added
  std::string link{};      ///< target of a symlink
  std::uint64_t size = 0;  ///< of a file's content, which follows
  unsigned mode = 0644;
  std::int64_t mtime = 0;  ///< seconds
  std::uint32_t user = 0;
  std::uint32_t group = 0;
};

/// The header blocks; then come `size` bytes and append_tar_padding.
void append_tar_header(std::string& out, const TarEntry& entry);
/// Zeros up to the next block of 512 bytes after a content of `size`.
void append_tar_padding(std::string& out, std::uint64_t size);
/// Two zero blocks.
void append_tar_end(std::string& out);
/// A whole file.
void append_tar_file(std::string& out, TarEntry entry, std::string_view content);

}  // namespace berth::engine
