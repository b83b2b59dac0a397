#include "api/event_stream.h"

#include "io/scope.h"

namespace berth::api {
namespace {

constexpr auto kSilence = std::chrono::seconds(15);
constexpr auto kMostLife = std::chrono::minutes(15);
constexpr std::size_t kBatch = 512;

void append_gap(std::string& out, std::uint64_t lost) {
  const std::string data = Json::object({{"lost", static_cast<std::int64_t>(lost)}}).dump();
  http::append_event(out, {.name = "gap", .data = data});
}

}  // namespace

io::Task<Result<void>> EventReply::begin() {
  co_return co_await response_.begin(200, {{"Content-Type", "text/event-stream"},
                                           {"Cache-Control", "no-store"},
                                           {"X-Content-Type-Options", "nosniff"},
                                           {"X-Accel-Buffering", "no"}});
}

io::Task<Result<void>> refuse_websocket(Call& call, Error why) {
  const Headers headers{{"Sec-WebSocket-Version", "13"}, {"Content-Type", "text/plain; charset=utf-8"}};
  co_return co_await call.response->send(426, headers, why.message + "\n");
}

void append_batch(std::string& out, const job::Follower::Batch& batch) {
  if (batch.lost > 0) append_gap(out, batch.lost);
  for (const auto& event : batch.events) {
    const std::string id = std::to_string(event->number);
    http::append_event(out, {.id = id, .name = event->kind, .data = event->text});
  }
}

io::Task<Result<void>> send_feed(EventReply& reply, job::Follower& follower, const Render& render) {
  const io::Context context = co_await io::here();
  const io::Time end = context.loop->now() + kMostLife;
  while (context.loop->now() < end) {
    auto batch = co_await io::within(kSilence, follower.next(kBatch));
    if (!batch && (batch.error().code != Code::timeout || context.cancel->requested()))
      co_return fail(std::move(batch).error());
    if (!batch) {
      CO_TRY(co_await reply.send(http::kHeartbeat));
      continue;
    }
    std::string out;
    if (batch->reset) http::append_event(out, {.name = "reset", .data = "{}"});
    if (batch->lost > 0) append_gap(out, batch->lost);
    for (const auto& event : batch->events) render(out, *event);
    if (batch->events.empty() && batch->lost == 0 && !batch->reset) co_return co_await reply.finish();
    if (!out.empty()) CO_TRY(co_await reply.send(out));
  }
  co_return co_await reply.finish();
}

}  // namespace berth::api
