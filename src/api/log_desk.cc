#include "api/log_desk.h"

#include <algorithm>

#include "engine/container.h"

namespace berth::api {

struct LogDesk::Tap {
  Tap(io::Loop& loop, std::shared_ptr<engine::Client> of, std::string container)
      : client(std::move(of)), id(std::move(container)), feed(loop, {}) {}
  std::shared_ptr<engine::Client> client;
  std::string id;
  std::string key() const { return client->address().text() + " " + id; }
  LogFeed feed;
  bool tty = false;
  Result<void> opened{};
  io::Event told{};  ///< `opened` holds
  io::Event gone{};  ///< nobody follows any more
};

/// What followers hold together.
struct LogDesk::Lease {
  explicit Lease(std::shared_ptr<Tap> of) : tap(std::move(of)) {}
  ~Lease() { tap->gone.set(); }
  Lease(const Lease&) = delete;
  std::shared_ptr<Tap> tap;
};

namespace {

io::Task<Result<engine::OutputStream>> open(engine::Client& client, const std::string& id, bool& tty) {
  const Json inspect = CO_TRY(co_await engine::inspect_container(client, id));
  tty = inspect.at("Config.Tty").boolean();
  co_return co_await engine::container_logs(client, id, tty, {.follow = true, .timestamps = true, .tail = "0"});
}

io::Task<Result<void>> pump(engine::OutputStream& output, LogFeed& feed) {
  LogLines lines;
  const LogLines::Take take = [&feed](const LogLine& line) { feed.add(line); };
  while (true) {
    const auto piece = CO_TRY(co_await output.next());
    if (!piece) break;
    lines.feed(*piece, take);
  }
  lines.finish(take);
  co_return Result<void>{};
}

}  // namespace

io::Task<void> LogDesk::run() {
  const io::Context context = co_await io::here();
  io::Scope scope(context);
  scope_ = &scope;
  loop_ = context.loop;
  io::Event never;
  static_cast<void>(co_await never.wait());
  scope_ = nullptr;
  co_await scope.join();
}

io::Task<Result<LogDesk::Followed>> LogDesk::follow(std::shared_ptr<engine::Client> client, std::string id) {
  if (!scope_) co_return fail(Code::unavailable, "logs are not followed yet");
  const auto lease = lease_of(std::move(client), std::move(id));
  Tap& tap = *lease->tap;
  CO_TRY(co_await tap.told.wait());
  if (!tap.opened) co_return fail(tap.opened.error());
  co_return Followed{.feed = std::shared_ptr<LogFeed>(lease, &tap.feed), .tty = tap.tty};
}

std::shared_ptr<LogDesk::Lease> LogDesk::lease_of(std::shared_ptr<engine::Client> client, std::string id) {
  auto tap = std::make_shared<Tap>(*loop_, std::move(client), std::move(id));
  auto& known = taps_[tap->key()];
  if (auto lease = known.lock(); lease && !lease->tap->feed.closed()) return lease;
  auto lease = std::make_shared<Lease>(tap);
  known = lease;
  scope_->spawn(keep(std::move(tap)));
  share();
  return lease;
}

io::Task<void> LogDesk::read(Tap& tap) {
  auto output = co_await open(*tap.client, tap.id, tap.tty);
  if (!output) tap.opened = fail(output.error());
  tap.told.set();
  auto done = tap.opened;
  if (output) done = co_await pump(*output, tap.feed);
  tap.feed.close(std::move(done));
}

io::Task<void> LogDesk::keep(std::shared_ptr<Tap> tap) {
  io::Scope scope(co_await io::here());
  scope.spawn(read(*tap));
  static_cast<void>(co_await tap->gone.wait());
  scope.cancel();
  co_await scope.join();
  if (const auto found = taps_.find(tap->key()); found != taps_.end() && found->second.expired()) taps_.erase(found);
  share();
}

void LogDesk::began(std::string id, std::vector<std::string> lines) {
  constexpr std::size_t kBeginnings = 100;
  beginnings_.emplace_back(std::move(id), std::move(lines));
  if (beginnings_.size() > kBeginnings) beginnings_.pop_front();
}

std::vector<std::string> LogDesk::beginning(std::string_view id) const {
  for (const auto& [container, lines] : beginnings_)
    if (container == id) return lines;
  return {};
}

void LogDesk::share() {
  const std::size_t each = std::clamp(most_ / std::max<std::size_t>(taps_.size(), 1), kLeastOfOne, kMostOfOne);
  for (const auto& [key, known] : taps_)
    if (const auto lease = known.lock()) lease->tap->feed.keep_at_most(each);
}

}  // namespace berth::api
