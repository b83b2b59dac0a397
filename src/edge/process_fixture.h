// An edge as a thread of a test, which plays the supervisor and core.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "edge/channel.h"
#include "edge/process.h"
#include "edge/server_fixture.h"
#include "io/socket.h"

namespace berth::edge {

/// Core's end of the channel.
class Core {
 public:
  explicit Core(std::unique_ptr<io::Stream> stream) : stream_(std::move(stream)) {}
  io::Task<void> send(std::string payload) {
    const std::string frame = encode_frame(payload);
    EXPECT_TRUE((co_await io::write_all(*stream_, frame)).has_value());
  }
  io::Task<EdgeEvent> next() {
    while (true) {
      if (auto payload = reader_.next().value()) co_return decode_event(*payload).value();
      char bytes[4096];
      const auto count = co_await io::read_some(*stream_, bytes);
      EXPECT_TRUE(count && *count > 0);
      if (!count || *count == 0) co_return EdgeEvent{.kind = EdgeEvent::Kind::stopped, .detail = "closed"};
      reader_.feed({bytes, *count});
    }
  }
  void close() { stream_->close(); }

 private:
  std::unique_ptr<io::Stream> stream_;
  FrameReader reader_;
};

/// An edge on a thread of this process, with the supervisor's and core's part played by the test.
class Edge {
 public:
  explicit Edge(io::Loop& loop, std::string data, unsigned workers = 1) : loop_(loop) {
    auto [near, far] = io::socket_pair().value();
    supervisor_ = io::stream_on(loop, std::move(near)).value();
    EdgeOptions options{.web = {"127.0.0.1:0"},
                        .websecure = {"127.0.0.1:0"},
                        .data = data,
                        .supervisor = far.release(),
                        .workers = workers,
                        .access_log = data + "/access.log"};
    thread_ = std::thread([this, options] { status_ = run_edge(options); });
  }
  ~Edge() { stop(); }

  /// A new channel, as after a restart of core.
  io::Task<std::unique_ptr<Core>> attach() {
    auto [near, far] = io::socket_pair().value();
    EXPECT_TRUE((co_await io::send_fd(*supervisor_, far.get())).has_value());
    auto core = std::make_unique<Core>(io::stream_on(loop_, std::move(near)).value());
    const EdgeEvent web = co_await core->next(), websecure = co_await core->next();
    EXPECT_EQ(web.kind, EdgeEvent::Kind::listening);
    EXPECT_EQ(web.subject, "web");
    EXPECT_EQ(websecure.subject, "websecure");
    web_ = web.detail;
    co_return core;
  }
  /// The status that the edge answers for a host.
  io::Task<int> ask(std::string_view host) {
    auto stream = co_await io::connect(io::Address::parse(web_).value());
    EXPECT_TRUE(stream.has_value());
    if (!stream) co_return 0;
    Browser browser(std::move(*stream));
    co_return (co_await browser.ask(get("/", "", host))).status;
  }
  const std::string& web() const { return web_; }
  int stop() {
    if (supervisor_) supervisor_->close();
    supervisor_.reset();
    if (thread_.joinable()) thread_.join();
    return status_;
  }

 private:
  io::Loop& loop_;
  std::unique_ptr<io::Stream> supervisor_;
  std::thread thread_;
  std::string web_;
  int status_ = -1;
};

}  // namespace berth::edge
