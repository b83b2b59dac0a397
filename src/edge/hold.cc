#include "edge/hold.h"

#include "edge/front.h"
#include "edge/shared.h"
#include "io/scope.h"

namespace berth::edge {
namespace {

constexpr std::uint32_t kComeBack = 60;  // seconds, for a service that was stopped

/// A place among those that wait for a service.
class Seat {
 public:
  Seat(Shared& shared, const std::string& service) : shared_(shared), at_(shared.held.try_emplace(service).first) {
    ++at_->second;
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() {
    if (--at_->second == 0) shared_.held.erase(at_);
  }

 private:
  Shared& shared_;
  decltype(Shared::held)::iterator at_;
};

/// What the newest snapshot says of it; kept by the request's workspace.
const Service* look_again(Request& request, std::string_view name) {
  request.work.later = request.shared.live;
  return request.work.later->routes().service(name).get();
}

io::Task<Result<void>> until_resumed(Request& request, std::string name) {
  while (request.service && request.service->hold && request.service->hold->message.empty()) {
    request.shared.swapped.reset();
    CO_TRY(co_await request.shared.swapped.wait());
    request.service = look_again(request, name);
  }
  co_return Result<void>{};
}

io::Task<void> watch_client(BodySource& body, io::Cancel& waiting) {
  if (co_await body.gone()) waiting.request(Code::cancelled);
}

io::Task<Outcome> turned_away(Request& request, ReplySink& reply) {
  return answer_closed(request, reply, {request.service->hold->message, kComeBack, "the service is stopped"});
}

}  // namespace

io::Task<Outcome> wait_while_held(Request& request, ReplySink& reply) {
  const Hold& hold = *request.service->hold;
  if (!hold.message.empty()) co_return co_await turned_away(request, reply);
  const std::string name = request.service->name;
  const auto waiting = request.shared.held.find(name);
  if (waiting != request.shared.held.end() && waiting->second >= hold.count) {
    co_return Outcome{.own_status = 503,
                      .message = "The service is paused, and too many requests wait for it. Try again in a moment.",
                      .detail = "the service is paused and " + std::to_string(hold.count) + " requests wait"};
  }
  const Seat seat(request.shared, name);
  const io::Context context = co_await io::here();
  io::Cancel cancel(context.cancel);
  io::Scope scope({context.loop, &cancel});
  // A body that is on its way is not read into memory only to see its end.
  if (request.body->state() == BodySource::State::none) scope.spawn(watch_client(*request.body, cancel));
  const auto resumed = co_await io::within(hold.most, until_resumed(request, name)).under(cancel);
  const bool gone = cancel.requested();
  scope.cancel();
  co_await scope.join();
  if (gone) co_return Outcome{.detail = "the client went away while the service was paused"};
  if (!resumed) {
    co_return Outcome{.own_status = 503,
                      .message = "The service is paused. Try again in a moment.",
                      .detail = "the service is paused for longer than the request may wait"};
  }
  if (request.service && request.service->hold) co_return co_await turned_away(request, reply);
  co_return Outcome{};
}

}  // namespace berth::edge
