// A client that speaks HTTP/2, for the edge's loopback tests.
#pragma once

#include <map>

#include "edge/server_fixture.h"
#include "http/h2_session.h"

namespace berth::edge {

class H2Browser final : public http::H2Events {
 public:
  using Fields = std::vector<http::H2Session::Field>;
  struct Stream : http::H2Stream {
    Answer answer{};
    http::Headers trailers_in{};
    bool has_head = false, closed = false;
    std::uint32_t error = 0;
  };

  explicit H2Browser(std::unique_ptr<io::Stream> stream) : stream_(std::move(stream)) {}

  /// Opens a stream; `body` is sent with it, and ends it unless `open`.
  Stream& ask(const Fields& fields, std::string body = {}, bool open = false);
  Stream& get(std::string_view path, std::string_view host = "app.test", Fields more = {});
  void send(Stream& stream, std::string_view data, bool end);
  /// Reads and writes until `done` or the connection's end; whether it is done.
  io::Task<bool> until(std::function<bool()> done);
  /// Until the stream is closed.
  io::Task<Answer> receive(Stream& stream);
  io::Task<bool> flush();
  io::Stream& stream() { return *stream_; }

  http::H2Session session{{.server = false}, *this};
  bool ended = false;  ///< the edge closed

 private:
  http::H2Stream* on_begin(std::int32_t) override { return nullptr; }
  void on_field(http::H2Stream& stream, std::string_view name, std::string_view value) override;
  void on_fields_end(http::H2Stream& stream) override;
  void on_data(http::H2Stream& stream, std::string_view data) override;
  void on_in_end(http::H2Stream&) override {}
  void on_sent(http::H2Stream&) override {}
  void on_close(http::H2Stream& stream, std::uint32_t error) override;

  std::unique_ptr<io::Stream> stream_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace berth::edge
