// One loop of the data plane with its access log; all but the first run on threads of their own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "edge/server.h"
#include "io/file.h"

namespace berth::edge {

/// Collects lines and writes them in batches. Thread: its loop's.
class AccessLog final : io::Timer {
 public:
  AccessLog(io::Loop& loop, io::AppendFile file) : Timer(loop), loop_(loop), file_(std::move(file)) {}
  ~AccessLog() override { flush(); }
  void add(const AccessEvent& event);
  /// Goes on in another file.
  void reopen(io::AppendFile file);

 private:
  void fire() override { flush(); }
  void flush();
  io::Loop& loop_;
  io::AppendFile file_;
  std::string batch_;
};

/// Notes how late the loop gets to what is due.
class LagTimer final : public io::Timer {
 public:
  LagTimer(io::Loop& loop, Durations& lag) : Timer(loop), loop_(loop), lag_(lag) {}
  void begin();

 private:
  void fire() override;
  io::Loop& loop_;
  Durations& lag_;
  io::Time due_{};
};

/// Owns a loop and its server. Made on the main thread; start() moves the loop to a new thread.
class Worker {
 public:
  struct Options {
    std::string name;                                          ///< this host's
    std::string access_log;                                    ///< empty: none
    EventSink event;                                           ///< called on the worker's loop
    UpstreamPool::Left left;                                   ///< called on the worker's loop
    std::shared_ptr<CacheStore> store{};                       ///< of the process; null: nothing is cached
    std::shared_ptr<Limits> limits{};                          ///< of the process
    std::string ticket_key{};                                  ///< of the process
    bool probes = true;                                        ///< Server::Options::probes
    std::function<void(const Upstream&, bool down)> health{};  ///< called on the worker's loop
  };
  static Result<std::unique_ptr<Worker>> make(Options options);
  ~Worker();

  io::Loop& loop() { return loop_; }
  Server& server() { return *server_; }
  /// Runs the server on a thread until it is drained; join() waits for that.
  void start();
  void join();
  // Any thread.
  /// Calls it on the worker's loop.
  void ask(std::function<void(Worker&)> question);
  AccessLog* log() { return log_.get(); }
  /// `used` is called on the worker's loop, with Server::leaving().
  void use(std::shared_ptr<const Live> live, std::function<void(std::vector<std::string>)> used);
  void set_down(const Upstream& upstream, bool down);
  /// `told` is called on the worker's loop.
  void load(LoadCommand command, std::function<void(Load)> told);
  void drain(io::Duration most, io::Duration patience);

 private:
  Worker() = default;
  io::Loop loop_;
  std::unique_ptr<AccessLog> log_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<LagTimer> lag_;
  std::thread thread_;
};

}  // namespace berth::edge
