// What any peer may send to an HTTP/2 session, as server and as client: no crash, bounded memory, and what it answers
// is frames. The first byte chooses the side and how the rest is cut into pieces.
#include <cstdlib>
#include <map>

#include "http/h2_session.h"

namespace {

using berth::http::H2Session;
using berth::http::H2Stream;

struct Sink final : berth::http::H2Events {
  explicit Sink(bool server) : session({.server = server}, *this) {}
  std::map<const H2Stream*, std::unique_ptr<H2Stream>> streams;
  std::size_t held = 0;
  H2Session session;

  H2Stream* on_begin(std::int32_t) override {
    auto made = std::make_unique<H2Stream>();
    H2Stream* result = made.get();
    streams.emplace(result, std::move(made));
    if (streams.size() > 128) std::abort();
    return result;
  }
  void on_field(H2Stream&, std::string_view name, std::string_view value) override {
    if (name.find_first_of(std::string_view("\r\n\0", 3)) != name.npos) std::abort();
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos) std::abort();
  }
  void on_fields_end(H2Stream& stream) override {
    if (stream.in_ended) answer(stream);
  }
  void on_data(H2Stream& stream, std::string_view data) override {
    if (stream.id % 3 != 0) {
      held += data.size();
      if (held > (1u << 20)) std::abort();  // beyond the connection's window
    } else {
      session.consume(stream, data.size());
    }
  }
  void on_in_end(H2Stream& stream) override { answer(stream); }
  void on_sent(H2Stream&) override {}
  void on_close(H2Stream& stream, std::uint32_t) override { streams.erase(&stream); }
  void answer(H2Stream& stream) {
    if (answered) return;
    stream.out = "hello";
    stream.trailers = {{"x-end", "1"}};
    stream.out_ended = true;
    session.respond(stream, 200, {{"content-type", "text/plain"}}, true);
  }
  bool answered = false;  ///< a client does not
};

void check_frames(std::string_view out, bool server) {
  if (!server && out.starts_with("PRI")) out.remove_prefix(24);
  while (!out.empty()) {
    if (out.size() < 9) std::abort();
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(out[i])); };
    const std::size_t length = byte(0) << 16 | byte(1) << 8 | byte(2);
    if (out.size() < 9 + length) std::abort();
    out.remove_prefix(9 + length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const bool server = (data[0] & 1) == 0;
  const std::size_t step = data[0] < 32 ? std::size_t{1} : data[0];
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  Sink sink(server);
  sink.answered = !server;
  if (server) {
    static_cast<void>(sink.session.feed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0).has_value());
  } else {
    auto stream = std::make_unique<H2Stream>();
    H2Stream& opened = *stream;
    sink.streams.emplace(&opened, std::move(stream));
    sink.session.request(opened, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}, false);
  }
  while (!rest.empty()) {
    const bool fed = sink.session.feed(rest.substr(0, step), 0).has_value();
    std::string out;
    sink.session.pull(out, 1u << 20);
    check_frames(out, server);
    if (!fed) break;
    rest.remove_prefix(std::min(step, rest.size()));
  }
  return 0;
}
