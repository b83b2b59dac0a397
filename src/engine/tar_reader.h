// Reading tar as it comes (ustar, pax and GNU forms), never more of it in memory than one header. A library's reader
// pulls its input and would hold a thread for as long as a slow client downloads; this one is pushed. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::engine {

/// One entry, as the archive says it: neither name nor link is to be trusted.
struct TarFound {
  enum class Kind { file, folder, symlink, hardlink, other };
  Kind kind = Kind::file;
  std::string path{};      ///< any bytes but NUL
  std::string link{};      ///< of a symlink or hard link
  std::uint64_t size = 0;  ///< of a file's content
  unsigned mode = 0;       ///< permission bits with setuid, setgid and sticky
  std::int64_t mtime = 0;  ///< seconds since 1970
};

/// Feed it with a view that it shortens:
///   while ((step = TRY(reader.next(bytes))) != Step::more) ...
class TarReader {
 public:
  enum class Step {
    more,     ///< `bytes` is used up; come again with what follows
    entry,    ///< entry() is new
    content,  ///< content() is the next piece of its file, never empty
    end,      ///< the archive is over; what follows is no part of it
  };
  /// Code::invalid for what is no tar, or has a name beyond 64 KiB.
  Result<Step> next(std::string_view& bytes);
  const TarFound& entry() const { return entry_; }
  /// Views into the `bytes` of the last call.
  std::string_view content() const { return content_; }

 private:
  enum class Reading { header, extra, file, padding, over };
  bool gather(std::string_view& bytes, std::uint64_t size);
  Result<Step> take(std::string_view& bytes);
  Result<Step> take_header();
  Result<void> take_extra();
  Result<void> take_records(std::string_view records);
  void begin_body(std::uint64_t size, Reading what);
  void end_body();

  Reading reading_ = Reading::header;
  std::string kept_;           ///< of a header or extra block that has not come whole
  std::uint64_t left_ = 0;     ///< bytes of the body
  std::uint64_t padding_ = 0;  ///< after it
  char extra_ = 0;             ///< type of the block that describes the next entry
  int zeros_ = 0;              ///< blocks
  TarFound next_{};            ///< what extra blocks said
  bool has_size_ = false, has_mtime_ = false;
  TarFound entry_{};
  std::string_view content_;
};

}  // namespace berth::engine
