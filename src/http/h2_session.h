// One HTTP/2 connection (RFC 9113) without its socket: bytes in, events and bytes out. nghttp2 behind a plain header.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/h2_guard.h"

namespace berth::http {

/// One stream as the session sees it; derived from by those who use it. Lives until H2Events::on_close said so.
struct H2Stream {
  std::int32_t id = 0;  ///< 0: closed
  std::string out;      ///< data on its way to the peer; `sent` bytes at its front went
  std::size_t sent = 0;
  bool out_ended = false;                                     ///< nothing follows `out` but `trailers`
  bool deferred = false;                                      ///< the session found nothing to send
  bool in_ended = false;                                      ///< the peer sends nothing more
  bool out_closed = false;                                    ///< our END_STREAM went
  std::vector<std::pair<std::string, std::string>> trailers;  ///< sent behind `out`
  std::size_t waiting() const { return out.size() - sent; }
  virtual ~H2Stream() = default;
  /// As new, for another stream; keeps the memory of `out`.
  void restart() {
    out.clear();
    trailers.clear();
    id = 0;
    sent = 0;
    out_ended = deferred = in_ended = out_closed = false;
  }
};

/// What a session tells. Called inside feed() and pull(); must not call those.
class H2Events {
 public:
  virtual ~H2Events() = default;
  /// Server: the head of a new request begins; null refuses the stream.
  virtual H2Stream* on_begin(std::int32_t id) = 0;
  /// A field of a head or of trailers, pseudo-fields first; no CR, LF or NUL is in it.
  virtual void on_field(H2Stream& stream, std::string_view name, std::string_view value) = 0;
  /// All fields of a head (or interim head, or trailers) came. H2Stream::in_ended is set when nothing follows.
  virtual void on_fields_end(H2Stream& stream) = 0;
  /// Give back what was read of it with consume().
  virtual void on_data(H2Stream& stream, std::string_view data) = 0;
  /// in_ended was set by a frame that carried no fields.
  virtual void on_in_end(H2Stream& stream) = 0;
  /// Bytes of `out` went.
  virtual void on_sent(H2Stream& stream) = 0;
  /// The session does not know the stream any more; `error` is the reset's code.
  virtual void on_close(H2Stream& stream, std::uint32_t error) = 0;
};

struct H2Options {
  bool server = true;
  std::uint32_t streams = 128;              ///< that the peer may have open
  std::uint32_t stream_window = 64u << 10;  ///< bytes of a body that wait to be read at most
  std::uint32_t connection_window = 256u << 10;
  /// Only the streams' windows hold the peer back: a stream that is not read holds up no other, and what waits to be
  /// read is bounded by the streams that are open.
  bool holds_streams_only = false;
  std::uint32_t header_bytes = 64u << 10;  ///< announced
};

/// Bounded: resets (of both sides), control frames without use, CONTINUATION frames and unsent acknowledgements each
/// have a budget; who is over one gets GOAWAY with ENHANCE_YOUR_CALM. Thread: one at a time.
class H2Session {
 public:
  using Field = std::pair<std::string_view, std::string_view>;
  /// `events` outlives it. The settings are queued.
  H2Session(const H2Options& options, H2Events& events);
  ~H2Session();

  /// Takes what came; `now` in seconds of any steady clock, for the budgets. Fails when the connection is of no further
  /// use: what pull() gives then (GOAWAY) still is to be sent.
  Result<void> feed(std::string_view bytes, std::int64_t now);
  /// Appends frames until `out` has about `most` bytes or there is nothing to send now.
  void pull(std::string& out, std::size_t most);
  bool wants_write() const;
  /// False after GOAWAY of both kinds of end: nothing can come any more.
  bool wants_read() const;

  /// The head of a reply, names in any case. `has_body`: `stream.out` follows; else the stream ends with it.
  void respond(H2Stream& stream, int status, const std::vector<Field>& fields, bool has_body);
  void send_interim(H2Stream& stream, int status);
  /// Client: opens a stream; false when the connection takes no more.
  bool request(H2Stream& stream, const std::vector<Field>& fields, bool has_body);
  /// `stream.out`, `out_ended` or `trailers` changed.
  void resume(H2Stream& stream);
  void consume(H2Stream& stream, std::size_t bytes);
  void reset(H2Stream& stream, H2Error error);
  /// No new streams; those there are may finish.
  /// Server: no new streams, please; those that are on their way already are still served. go_away() follows.
  void announce_end();
  void go_away(H2Error error);
  /// Client: whether another stream may be opened now.
  bool may_request() const;
  /// Client: whether the peer's settings came, and the streams that it lets us have open; before that a guess.
  bool is_settled() const;
  std::uint32_t peer_streams() const;
  /// Of data that the peer lets us send on all streams together.
  std::int32_t send_window() const;
  /// Asks for a sign of life; what comes next is one.
  void ping();
  /// Client: whether the peer allows extended CONNECT (RFC 8441).
  bool allows_connect_protocol() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace berth::http
