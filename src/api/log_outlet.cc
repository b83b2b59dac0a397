#include "api/log_outlet.h"

namespace berth::api {
namespace {

using Kind = http::WebSocketMessage::Kind;

constexpr std::size_t kMostMessage = 4096;  // nobody has anything to say here
constexpr auto kGoodbye = std::chrono::seconds(2);

}  // namespace

io::Task<Result<void>> LogOutlet::begin() {
  if (form_ == LogForm::frames) {
    auto accept = CO_TRY(http::websocket_handshake(*call_.head));
    socket_ = CO_TRY(co_await call_.response->upgrade(101, {{"Sec-WebSocket-Accept", std::move(accept)}}));
    co_return Result<void>{};
  }
  if (form_ == LogForm::events || form_ == LogForm::plain_events) {
    EventReply reply(*call_.response);
    co_return co_await reply.begin();
  }
  co_return co_await call_.response->begin(200, {{"Content-Type", "text/plain; charset=utf-8"},
                                                 {"Cache-Control", "no-store"},
                                                 {"X-Content-Type-Options", "nosniff"}});
}

io::Task<Result<void>> LogOutlet::send(std::string_view text) {
  if (!socket_) co_return co_await call_.response->write(text);
  CO_TRY(co_await writing_.acquire());
  auto done = co_await socket_->write(text);
  writing_.release();
  co_return done;
}

io::Task<Result<void>> LogOutlet::beat() {
  std::string out;
  if (form_ == LogForm::frames) http::append_frame(out, Kind::ping, {});
  if (form_ == LogForm::events || form_ == LogForm::plain_events) out = http::kHeartbeat;
  if (out.empty()) co_return Result<void>{};
  co_return co_await send(out);
}

io::Task<Result<void>> LogOutlet::finish(End end) {
  std::string out;
  const bool ended = end == End::ended;
  if (form_ == LogForm::frames)
    http::append_close(out, ended ? http::CloseCode::normal : http::CloseCode::going_away,
                       ended ? "the log ended" : "come again");
  else if (ended && form_ != LogForm::text && form_ != LogForm::stamped_text)
    http::append_event(out, {.name = "end", .data = "{}"});
  if (!out.empty()) CO_TRY(co_await send(out));
  if (!socket_) co_return co_await call_.response->finish();
  socket_->shutdown_write();
  co_return Result<void>{};
}

io::Task<Result<bool>> LogOutlet::take(http::WebSocketMessage message) {
  const bool over = message.kind == Kind::close || message.kind == Kind::broken;
  std::string answer;
  if (message.kind == Kind::ping) http::append_frame(answer, Kind::pong, message.payload);
  if (over) http::append_close(answer, message.code);
  if (!answer.empty()) CO_TRY(co_await send(answer));
  co_return !over;
}

io::Task<void> LogOutlet::hear(io::Cancel& stop) {
  http::WebSocketReader reader(kMostMessage);
  char buffer[512];
  while (!gone_.is_set()) {
    const auto count = co_await socket_->read(buffer);
    if (!count || *count == 0) break;
    reader.feed({buffer, *count});
    while (auto message = reader.next()) {
      const auto goes_on = co_await take(std::move(*message));
      if (!goes_on || !*goes_on) gone_.set();
    }
  }
  gone_.set();
  stop.request();
}

io::Task<void> LogOutlet::linger() {
  static_cast<void>(co_await io::within(
      kGoodbye, [](io::Event& gone) -> io::Task<Result<void>> { co_return co_await gone.wait(); }(gone_)));
}

}  // namespace berth::api
