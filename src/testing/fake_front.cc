#include "testing/fake_front.h"

#include "testing/fake_feed.h"
#include "testing/simulation.h"

namespace berth::testing {
namespace {

constexpr std::size_t kMostBody = std::size_t{1} << 30;

// Ends `serving` when the client is gone: nothing else comes on a line whose reply is under way.
io::Task<void> watch(io::Stream& line, io::Cancel& serving) {
  char byte = 0;
  while (true) {
    if (!co_await io::ready(line, io::Direction::read)) co_return;
    if (line.try_read({&byte, 1}).state == io::Attempt::blocked) continue;
    serving.request();
    co_return;
  }
}

// What the feed gives, until its end.
template <class Write>
io::Task<Result<void>> pump(FakeFeed& feed, Write& write) {
  while (true) {
    const bool last = feed.ended();
    const std::string bytes = feed.take();
    if (!bytes.empty()) CO_TRY(co_await write(bytes));
    if (bytes.empty() && last) co_return Result<void>{};
    if (!last) CO_TRY(co_await feed.wait());
  }
}

io::Task<void> read_input(http::Upgraded& connection, FakeFeed& feed) {
  char buffer[4096];
  while (true) {
    const auto count = co_await connection.read(buffer);
    if (!count) co_return;
    feed.input(std::string_view(buffer, *count));
    if (*count == 0) co_return;
  }
}

// A raw connection both ways until the process ends.
io::Task<Result<void>> talk(http::Upgraded connection, std::shared_ptr<FakeFeed> feed) {
  io::Scope scope(co_await io::here());
  scope.spawn(read_input(connection, *feed));
  auto write = [&connection](const std::string& bytes) { return connection.write(bytes); };
  const auto done = co_await pump(*feed, write);
  scope.cancel();
  co_await scope.join();
  connection.close();
  co_return done;
}

io::Task<Result<void>> stream(FakeReply& reply, std::optional<std::size_t> cut_after, http::ResponseWriter& response) {
  CO_TRY(co_await response.begin(reply.status, reply.headers));
  std::size_t left = cut_after.value_or(~std::size_t{0});
  const auto send = [&response, &left](const std::string& bytes) {
    const std::size_t count = std::min(left, bytes.size());
    left -= count;
    return response.write(std::string_view(bytes).substr(0, count));
  };
  CO_TRY(co_await send(reply.body));
  while (reply.feed && left > 0) {
    const bool last = reply.feed->ended();
    const std::string bytes = reply.feed->take();
    CO_TRY(co_await send(bytes));
    if (last && bytes.empty()) break;
    if (!last) CO_TRY(co_await reply.feed->wait());
  }
  if (cut_after) co_return fail(Code::unavailable, "the connection is cut on demand");
  co_return co_await response.finish();
}

class FakeDialer final : public io::Dialer {
 public:
  explicit FakeDialer(std::weak_ptr<FakeEngine::Front> front) : front_(std::move(front)) {}
  io::Task<Result<std::unique_ptr<io::Stream>>> dial() override {
    const auto front = front_.lock();
    if (!front) co_return fail(Code::unavailable, "the fake engine is gone");
    co_return front->connect();
  }
  std::string name() const override { return "unix:///fake/docker.sock"; }

 private:
  std::weak_ptr<FakeEngine::Front> front_;
};

}  // namespace

FakeEngine::Front::Front(io::Loop& loop, std::shared_ptr<FakeState> state)
    : loop_(loop), state_(std::move(state)), scope_(io::Context{&loop, &cancel_}) {}

Result<std::unique_ptr<io::Stream>> FakeEngine::Front::connect() {
  if (refuses_ || shut_) return fail(Code::unavailable, "unix:///fake/docker.sock: connection refused");
  auto [ours, theirs] = stream_pair();
  scope_.spawn(serve(std::move(ours)));
  return std::move(theirs);
}

io::Task<void> FakeEngine::Front::serve(std::unique_ptr<io::Stream> stream) {
  io::Stream& line = *stream;
  lines_.insert(&line);
  const http::Handler handler = [this, &line](http::ServerRequest& request, http::ResponseWriter& response) {
    return answer(request, response, line);
  };
  // How a connection ends is its client's matter.
  static_cast<void>(co_await http::serve_connection(std::move(stream), handler, {.host = http::HostRule::optional}));
  lines_.erase(&line);
}

io::Task<Result<void>> FakeEngine::Front::answer(http::ServerRequest& request, http::ResponseWriter& response,
                                                 io::Stream& line) {
  FakeRequest call{.method = std::string(request.head().method), .target = std::string(request.head().target)};
  for (const http::Field& field : request.head().fields) call.headers.emplace_back(field.name, field.value);
  call.body = CO_TRY(co_await request.body(kMostBody));
  const FakeAdmitted admitted = admit(*state_, call);
  if (admitted.fault && admitted.fault->delay > io::Duration::zero())
    CO_TRY(co_await io::sleep_for(admitted.fault->delay));
  FakeReply reply = perform(*state_, call, admitted);
  if (reply.status == 0) {
    line.close();
    co_return fail(Code::unavailable, "the connection is dropped on demand");
  }
  if (reply.wait > io::Duration::zero()) CO_TRY(co_await io::sleep_for(reply.wait));
  co_return co_await send(std::move(reply), admitted, response, line);
}

io::Task<Result<void>> FakeEngine::Front::send(FakeReply reply, const FakeAdmitted& admitted,
                                               http::ResponseWriter& response, io::Stream& line) {
  const auto cut_after = admitted.fault ? admitted.fault->cut_after : std::nullopt;
  if (reply.hijacked) {
    auto connection = CO_TRY(co_await response.upgrade(reply.status, reply.headers));
    co_return co_await talk(std::move(connection), reply.feed);
  }
  if (!reply.feed && !cut_after) co_return co_await response.send(reply.status, reply.headers, reply.body);
  io::Cancel serving((co_await io::here()).cancel);
  io::Scope scope(co_await io::here());
  scope.spawn(watch(line, serving));
  auto done = co_await stream(reply, cut_after, response).under(serving);
  scope.cancel();
  co_await scope.join();
  if (!done) line.close();
  co_return done;
}

io::Task<Result<void>> FakeEngine::Front::serve_unix(std::string path) {
  const io::Address address = CO_TRY(io::Address::unix_path(path));
  const auto listener = CO_TRY(io::Listener::open(loop_, address));
  while (true) {
    auto stream = CO_TRY(co_await listener->accept());
    if (!refuses_ && !shut_) scope_.spawn(serve(std::move(stream)));
  }
}

void FakeEngine::Front::drop() {
  for (io::Stream* line : std::set(lines_)) line->close();
}

io::Task<void> FakeEngine::Front::close() {
  shut_ = true;
  scope_.cancel();
  co_await scope_.join();
}

void FakeEngine::Front::shut() {
  shut_ = true;
  if (scope_.running() > 0) loop_.run(close());
}

std::unique_ptr<io::Dialer> make_dialer(std::weak_ptr<FakeEngine::Front> front) {
  return std::make_unique<FakeDialer>(std::move(front));
}

}  // namespace berth::testing
