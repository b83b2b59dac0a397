// A fake engine on a socket, for tests of the berth program: testing_fake_engine SOCKET [IMAGE...]
// Its clock begins with the machine's. It ends with SIGTERM.
#include <chrono>
#include <cstdio>

#include "testing/fake_engine.h"

int main(int count, char** arguments) {
  using namespace berth;
  if (count < 2) {
    std::fputs("usage: testing_fake_engine SOCKET [IMAGE...]\n", stderr);
    return 16;
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  io::Loop loop;
  testing::FakeEngine engine(loop, {.epoch = now.time_since_epoch().count()});
  for (int i = 2; i < count; ++i) engine.add_image(arguments[i]);
  const auto served = loop.run(engine.serve_unix(arguments[1]));
  std::fprintf(stderr, "%s\n", served.error().message.c_str());
  return 1;
}
