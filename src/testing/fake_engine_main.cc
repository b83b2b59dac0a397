// A fake engine on a socket, for tests of the berth program: testing_fake_engine [--api VERSION] SOCKET [IMAGE...]
// It speaks API VERSION at most (1.41), and at least what an engine of that version does. Its clock begins with the
// machine's. It ends with SIGTERM. Beyond an engine's calls it takes
//   GET /fake/containers?count=N              N containers that run, load-1 and so on, of projects of ten
//   GET /fake/write?container=NAME&count=N&rate=N   N lines, each with its number, so many a second
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "engine/feature.h"
#include "io/scope.h"
#include "testing/fake_engine.h"

namespace berth::testing {
namespace {

constexpr auto kPause = std::chrono::milliseconds(10);

std::string value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const Cut member = cut(query, '&'), parts = cut(member.before, '=');
    query = member.after;
    if (parts.before == name) return std::string(parts.after);
  }
  return {};
}

std::int64_t number(std::string_view query, std::string_view name) {
  return std::atoll(value(query, name).c_str());
}

io::Task<void> make(FakeEngine& engine, std::int64_t count) {
  for (std::int64_t i = 1; i <= count; ++i) {
    const std::string body = fmt::format(
        R"({{"Image":"load:1","Labels":{{"com.docker.compose.project":"load{}","com.docker.compose.service":"web"}},)"
        R"("Healthcheck":{{"Test":["CMD","true"]}},"HostConfig":{{"Binds":["data-{}:/data"]}}}})",
        i / 10, i);
    engine.handle({.method = "POST", .target = fmt::format("/containers/create?name=load-{}", i), .body = body});
    engine.handle({.method = "POST", .target = fmt::format("/containers/load-{}/start", i)});
  }
  co_return;
}

struct Order {
  std::string container{};
  std::int64_t count = 0, rate = 0;
};

io::Task<void> write(FakeEngine& engine, Order order) {
  const io::Context context = co_await io::here();
  const io::Time begin = context.loop->now();
  for (std::int64_t written = 0; written < order.count;) {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(context.loop->now() - begin).count();
    const std::int64_t due = std::min(order.count, order.rate * passed / 1000);
    for (; written < due; ++written)
      engine.log(order.container, fmt::format("line {:09} of what a service says about its work, "
                                              "with some words more to be as long as lines are\n",
                                              written + 1));
    if (!co_await io::sleep_for(kPause)) co_return;
  }
}

// Orders are carried out by tasks: a call cannot make calls while it is looked at.
struct Desk {
  FakeEngine& engine;
  io::Scope& scope;
};

std::optional<FakeFault> take(Desk& desk, const FakeCall& call) {
  if (!call.path.starts_with("/fake/")) return {};
  if (call.path == "/fake/containers") desk.scope.spawn(make(desk.engine, number(call.query, "count")));
  if (call.path == "/fake/write")
    desk.scope.spawn(write(desk.engine, {.container = value(call.query, "container"),
                                         .count = number(call.query, "count"),
                                         .rate = number(call.query, "rate")}));
  return FakeFault{.status = 200, .message = "done"};
}

io::Task<Result<void>> serve(FakeEngine& engine, std::string path) {
  io::Scope scope(co_await io::here());
  Desk desk{.engine = engine, .scope = scope};
  engine.on_call([&desk](const FakeCall& call) { return take(desk, call); });
  auto served = co_await engine.serve_unix(std::move(path));
  scope.cancel();
  co_await scope.join();
  co_return served;
}

}  // namespace
}  // namespace berth::testing

int main(int count, char** arguments) {
  using namespace berth;
  std::vector<std::string> words(arguments + 1, arguments + count);
  std::string api = "1.41";
  if (words.size() > 1 && words[0] == "--api") {
    api = words[1];
    words.erase(words.begin(), words.begin() + 2);
  }
  if (words.empty() || !engine::parse_api_version(api)) {
    std::fputs("usage: testing_fake_engine [--api VERSION] SOCKET [IMAGE...]\n", stderr);
    return 16;
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  io::Loop loop;
  testing::FakeEngine engine(loop, {.api = api, .epoch = now.time_since_epoch().count()});
  engine.add_image("load:1", {.config = Json::object({{"Cmd", Json::array({"serve"})}})});
  for (std::size_t i = 1; i < words.size(); ++i) engine.add_image(words[i]);
  const auto served = loop.run(testing::serve(engine, words[0]));
  std::fprintf(stderr, "%s\n", served.error().message.c_str());
  return 1;
}
