// Where a message body ends (RFC 9112 6.3), and the chunked coding (7.1) both ways; incremental, no allocation. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/head.h"

namespace berth::http {

struct BodyKind {
  enum class End {
    none,     ///< there is no body
    length,   ///< after `length` bytes
    chunked,  ///< after the last chunk and its trailers
    close,    ///< when the peer closes
  };
  End end = End::none;
  std::uint64_t length = 0;
  friend bool operator==(const BodyKind&, const BodyKind&) = default;
};
BodyKind body_of(const RequestHead& head);
/// `method` is that of the request it answers.
BodyKind body_of(const ResponseHead& head, std::string_view method);

struct BodyLimits {
  std::size_t extension = 256;         ///< bytes of one chunk's extensions
  std::size_t extensions = 16u << 10;  ///< of all of them
  std::size_t trailers = 8u << 10;     ///< of the trailer section
};

/// Splits the bytes after a head into body data and what follows. Trailer fields are checked and dropped. Chunk sizes
/// have at most 15 digits; a bare LF, white space or a byte out of place ends it.
class BodyDecoder {
 public:
  enum class Next {
    need_more,  ///< the input is used up
    data,       ///< `data` is body
    end,        ///< the body is complete; what is left of the input is not its
    refused,    ///< `reason` says why; the connection is of no further use
  };
  struct Step {
    Next what = Next::need_more;
    std::string_view data{};
    std::string_view reason{};
  };

  BodyDecoder() = default;
  explicit BodyDecoder(BodyKind kind, BodyLimits limits = {});
  /// Takes from the front of `input` what it reads; `data` is a view into it.
  Step next(std::string_view& input);
  /// Whether the peer may close here: the body is complete, or ends by closing.
  bool may_close() const { return state_ == State::done || state_ == State::until_close; }
  bool done() const { return state_ == State::done; }

 private:
  enum class State {
    done,
    fixed,
    until_close,
    size,
    extension,
    size_feed,
    chunk,
    chunk_return,
    chunk_feed,
    trailer,
    trailer_feed,
    broken,
  };
  Step take_data(std::string_view& input, State after);
  std::string_view take_framing(char c);
  std::string_view take_size(char c);
  std::string_view take_extension(char c);
  std::string_view take_trailer(char c);
  void end_size();

  State state_ = State::done;
  BodyLimits limits_{};
  std::uint64_t left_ = 0;
  std::size_t digits_ = 0;
  std::size_t extension_ = 0;
  std::size_t extensions_ = 0;
  std::size_t trailers_ = 0;
  std::size_t line_ = 0;   // bytes of the trailer line so far
  bool in_value_ = false;  // past the colon of a trailer line
};

/// The line before a chunk of `size` > 0 bytes; after the chunk comes kChunkEnd, after all kLastChunk.
void append_chunk_size(std::string& out, std::size_t size);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace berth::http
