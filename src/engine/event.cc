#include "engine/event.h"

#include <algorithm>

#include "io/scope.h"

namespace berth::engine {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{10'000};
constexpr std::int64_t kNano = 1'000'000'000;

bool cancelled(const io::Context& context) {
  return context.cancel != nullptr && context.cancel->requested();
}

std::string seconds_text(std::int64_t nano) {
  std::string fraction = std::to_string(nano % kNano);
  fraction.insert(0, 9 - fraction.size(), '0');
  return std::to_string(nano / kNano) + "." + fraction;
}

// What tells two events of one nanosecond apart.
std::string identity(const EngineEvent& event) {
  return event.type + " " + event.action + " " + event.id;
}

}  // namespace

EngineEvent parse_event(const Json& message) {
  EngineEvent event;
  event.type = message["Type"].text();
  event.action = message["Action"].text(message["status"].text());
  event.id = message["Actor"]["ID"].text(message["id"].text());
  event.attributes = message["Actor"]["Attributes"];
  event.time_nano = message["timeNano"].integer(message["time"].integer() * kNano);
  return event;
}

EventStream::EventStream(Client& client, WatchEvents which) : client_(client), which_(std::move(which)) {}

io::Task<Result<void>> EventStream::open() {
  Call call{.path = "/events"};
  const std::string since = last_nano_ > 0 ? seconds_text(last_nano_) : which_.since;
  if (!since.empty()) call.query.emplace_back("since", since);
  if (!which_.filters.empty()) call.query.emplace_back("filters", filters_text(which_.filters));
  auto exchange = CO_TRY(co_await client_.stream(std::move(call)));
  stream_.emplace(std::move(exchange.body));
  co_return Result<void>{};
}

// Dials until it stands. A refusal ends it only at the first time: later it may be the engine's restart.
io::Task<Result<void>> EventStream::stand() {
  const io::Context context = co_await io::here();
  bool at_once = !stood_;
  while (true) {
    if (!at_once) {
      CO_TRY(co_await io::sleep_for(pause_));
      pause_ = std::min(pause_ * 2, kLongestPause);
    }
    at_once = false;
    auto opened = co_await open();
    const bool refused = !opened && (opened.error().code == Code::invalid || opened.error().code == Code::denied);
    if (!opened && (cancelled(context) || (refused && !stood_))) co_return opened;
    if (!opened) continue;
    stood_ = true;
    co_return opened;
  }
}

// Whether the engine told it already, before the last connection broke: `since` includes its moment.
bool EventStream::repeated(const EngineEvent& event) {
  if (event.time_nano > last_nano_) {
    last_nano_ = event.time_nano;
    at_last_.clear();
  }
  if (event.time_nano < last_nano_ || event.time_nano == 0) return false;
  const std::string name = identity(event);
  if (std::find(at_last_.begin(), at_last_.end(), name) != at_last_.end()) return true;
  at_last_.push_back(name);
  return false;
}

io::Task<Result<EventStream::Item>> EventStream::next() {
  const io::Context context = co_await io::here();
  while (true) {
    if (!stream_) {
      CO_TRY(co_await stand());
      co_return Item{.gap = true};
    }
    auto message = co_await stream_->next();
    if (!message && cancelled(context)) co_return fail(std::move(message).error());
    if (!message || !*message) {
      stream_.reset();
      continue;
    }
    pause_ = kFirstPause;
    EngineEvent event = parse_event(**message);
    if (!repeated(event)) co_return Item{.event = std::move(event)};
  }
}

}  // namespace berth::engine
