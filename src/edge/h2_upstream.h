// An upstream's connection that speaks HTTP/2, for one exchange after the other.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "http/h2_session.h"
#include "http/head.h"
#include "io/stream.h"

namespace berth::edge {

/// One coroutine may send while another reads. An exchange that is not read to its end leaves the connection of no
/// further use: close it. Thread: its loop's.
class H2Upstream final : http::H2Events {
 public:
  /// `stream` outlives it; `scheme` is a constant.
  H2Upstream(io::Stream& stream, std::string_view scheme) : stream_(stream), scheme_(scheme) {}

  /// Reads what came while nobody waited; whether another exchange may begin.
  bool is_usable();

  /// Opens the exchange with `head`, an HTTP/1.1 head as it would be sent to an upstream of that protocol, and queues
  /// it. Code::unavailable when the upstream takes no more.
  Result<void> begin(std::string_view head, bool has_body, bool takes_trailers);
  /// Queues body and waits until the upstream's windows have room.
  io::Task<Result<void>> send(std::string_view data);
  void end_body(const http::Fields* trailers);
  /// Writes what is queued.
  io::Task<Result<void>> flush();

  /// Waits for the reply's head, interim ones left out; its views live until the next begin(). Code::unavailable when
  /// the upstream closes or resets before.
  io::Task<Result<void>> read_head(http::ResponseHead& head);
  /// The upstream says that it did nothing for the request (RFC 9113 8.7).
  bool refused() const { return refused_; }
  /// The connection ended without a byte of an answer.
  bool unanswered() const { return unanswered_; }
  bool has_body() const { return !one_.in_ended || !one_.in.empty(); }
  /// What came of the body and was not taken, for one look; take it by consume().
  std::string_view unread() const { return one_.in; }
  void consume();
  /// Whether more() would wait.
  bool waits() const { return one_.in.empty() && !one_.in_ended && one_.open; }
  /// Waits for more; false at the body's end.
  io::Task<Result<bool>> more();
  /// After the end: null when there are none.
  const http::Fields* trailers() const { return trailers_.size() > 0 ? &trailers_ : nullptr; }

 private:
  struct One : http::H2Stream {
    std::string in;
    bool open = false;
  };
  http::H2Stream* on_begin(std::int32_t) override { return nullptr; }
  void on_field(http::H2Stream& stream, std::string_view name, std::string_view value) override;
  void on_fields_end(http::H2Stream& stream) override;
  void on_data(http::H2Stream& stream, std::string_view data) override;
  void on_in_end(http::H2Stream&) override {}
  void on_sent(http::H2Stream& stream) override;
  void on_close(http::H2Stream& stream, std::uint32_t error) override;
  io::Task<Result<void>> read();
  Result<void> feed(std::string_view bytes);
  std::string_view keep(std::string_view text) { return kept_.emplace_back(text); }

  io::Stream& stream_;
  std::string_view scheme_;
  http::H2Session session_{{.server = false}, *this};
  One one_;
  http::ResponseHead* head_ = nullptr;  ///< while read_head() waits
  std::deque<std::string> kept_;        ///< behind the reply's fields
  http::Fields trailers_;
  std::vector<http::H2Session::Field> fields_;
  std::string batch_;
  io::Event room_;
  std::uint32_t error_ = 0;
  bool head_ended_ = false, refused_ = false, unanswered_ = false, writing_ = false, broken_ = false;
};

}  // namespace berth::edge
