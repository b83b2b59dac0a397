#include "edge/h2_browser.h"

namespace berth::edge {

H2Browser::Stream& H2Browser::ask(const Fields& fields, std::string body, bool open) {
  streams_.push_back(std::make_unique<Stream>());
  Stream& made = *streams_.back();
  made.out = std::move(body);
  made.out_ended = !open;
  EXPECT_TRUE(session.request(made, fields, open || !made.out.empty()));
  return made;
}

H2Browser::Stream& H2Browser::get(std::string_view path, std::string_view host, Fields more) {
  Fields fields{{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", host}};
  fields.insert(fields.end(), more.begin(), more.end());
  return ask(fields);
}

void H2Browser::send(Stream& stream, std::string_view data, bool end) {
  stream.out.append(data);
  stream.out_ended = end;
  session.resume(stream);
}

io::Task<bool> H2Browser::flush() {
  std::string out;
  session.pull(out, 1u << 20);
  co_return (co_await io::write_all(*stream_, out)).has_value();
}

io::Task<bool> H2Browser::until(std::function<bool()> done) {
  char bytes[16384];
  while (!done()) {
    if (!co_await flush()) ended = true;
    const auto count = ended ? Result<std::size_t>(std::size_t{0}) : co_await io::read_some(*stream_, bytes);
    if (!count || *count == 0) {
      ended = true;
      co_return done();
    }
    if (!session.feed(std::string_view(bytes, *count), 0)) co_return false;
  }
  co_return co_await flush();
}

io::Task<Answer> H2Browser::receive(Stream& stream) {
  co_await until([&stream] { return stream.closed; });
  co_return stream.answer;
}

void H2Browser::on_field(http::H2Stream& stream, std::string_view name, std::string_view value) {
  auto& each = static_cast<Stream&>(stream);
  if (name == ":status")
    each.answer.status = std::stoi(std::string(value));
  else
    (each.has_head ? each.trailers_in : each.answer.headers).emplace_back(name, value);
}

void H2Browser::on_fields_end(http::H2Stream& stream) {
  auto& each = static_cast<Stream&>(stream);
  each.has_head = each.answer.status >= 200;
}

void H2Browser::on_data(http::H2Stream& stream, std::string_view data) {
  static_cast<Stream&>(stream).answer.body += data;
  session.consume(stream, data.size());
}

void H2Browser::on_close(http::H2Stream& stream, std::uint32_t error) {
  auto& each = static_cast<Stream&>(stream);
  each.closed = true;
  each.error = error;
  each.answer.complete = error == 0 && each.in_ended;
}

}  // namespace berth::edge
