// An upstream's connection that speaks HTTP/2, for one exchange after the other.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "edge/upstream_session.h"
#include "http/h2_session.h"
#include "http/head.h"
#include "io/stream.h"

namespace berth::edge {

/// An exchange that is not read to its end leaves the connection of no
/// further use: close it. Thread: its loop's.
class H2Upstream final : public UpstreamSession, http::H2Events {
 public:
  /// `stream` outlives it; `scheme` is a constant.
  H2Upstream(io::Stream& stream, std::string_view scheme) : stream_(stream), scheme_(scheme) {}

  bool is_usable() override;
  bool is_kept() const override { return true; }

  Result<void> begin(const Opening& opening) override;
  io::Task<Result<void>> send(std::string_view data) override;
  void end_body(const http::Fields* trailers) override;
  io::Task<Result<void>> flush() override;

  io::Task<Result<void>> read_head(http::ResponseHead& head) override;
  /// RFC 9113 8.7.
  bool refused() const override { return refused_; }
  bool unanswered() const override { return unanswered_; }
  bool has_body() const override { return !one_.in_ended || !one_.in.empty(); }
  std::string_view unread() const override { return one_.in; }
  void consume() override;
  bool waits() const override { return one_.in.empty() && !one_.in_ended && one_.open; }
  io::Task<Result<bool>> more() override;
  const http::Fields* trailers() const override { return trailers_.size() > 0 ? &trailers_ : nullptr; }

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
