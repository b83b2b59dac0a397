// What a fake engine holds; the routes in fake_*.cc are functions over it. Not for tests: they use fake_engine.h.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <list>

#include "engine/feature.h"
#include "testing/fake_engine.h"
#include "testing/fake_feed.h"

namespace berth::testing {

/// Nanoseconds since 1970, as the engine's clock shows.
using FakeTime = std::int64_t;

/// The connection of a container with a network.
struct FakeEndpoint {
  std::string network{};     ///< as asked: a name or an id
  std::string network_id{};  ///< once it was started or connected with a network that exists
  Json settings{};           ///< as asked: Aliases, IPAMConfig, Links, DriverOpts
  std::string id{};          ///< the rest only while it is up
  std::string address{};
  std::string gateway{};
  std::string mac{};
  int prefix = 0;
};

struct FakePort {
  std::string inner{};  ///< "80/tcp"
  std::string ip{};     ///< "0.0.0.0", "::", "127.0.0.1"
  int port = 0;         ///< of the host
};

struct FakeLine {
  FakeTime time = 0;
  bool err = false;
  std::string text{};
};

/// Someone who reads the output of a container.
struct FakeReader {
  std::weak_ptr<FakeFeed> feed{};
  bool out = true;
  bool err = true;
  bool timestamps = false;
};

/// Someone who waits for a container's end.
struct FakeWaiter {
  std::weak_ptr<FakeFeed> feed{};
  std::string condition{};  ///< "not-running", "next-exit", "removed"
};

struct FakeProbe {
  FakeTime time = 0;
  int exit_code = 0;
};

enum class FakeStatus { created, running, paused, restarting, exited };

struct FakeContainer {
  std::string id{};
  std::string name{};
  FakeTime created = 0;
  std::string image_id{};
  Json config{};
  Json host{};
  std::vector<Json> mounts{};
  std::vector<FakeEndpoint> endpoints{};
  FakeProcess process{};

  FakeStatus status = FakeStatus::created;
  int exit_code = 0;
  std::string error{};
  FakeTime started = 0;
  FakeTime finished = 0;
  int pid = 0;
  int restarts = 0;
  bool stopped_by_hand = false;
  std::uint64_t run = 0;  ///< counts its runs: what was planned in an earlier one is void
  std::string health{};   ///< "" when there is no check
  std::vector<FakeProbe> probes{};
  std::vector<FakePort> ports{};
  std::vector<FakeLine> lines{};
  std::vector<FakeReader> followers{};  ///< of logs
  std::vector<FakeReader> attached{};
  std::vector<FakeWaiter> waiters{};
  std::map<std::string, std::string> files{};  ///< absolute path -> content; folders end with '/'
  std::vector<std::string> execs{};

  bool up() const { return status == FakeStatus::running || status == FakeStatus::paused; }
};

struct FakeExecRun {
  std::string id{};
  std::string container{};
  Json create{};
  FakeExec script{};
  bool started = false;
  bool running = false;
  int pid = 0;
};

struct FakeStoredImage {
  std::string id{};
  std::vector<std::string> tags{};  ///< "debian:bookworm-slim"
  std::vector<std::string> digests{};
  FakeTime created = 0;
  std::string parent{};
  bool built = false;
  FakeImage image{};  ///< its config complete
};

struct FakeNetwork {
  std::string id{};
  std::string name{};
  FakeTime created = 0;
  Json body{};  ///< as inspect prints it, without Containers
  std::uint32_t subnet = 0;
  int prefix = 0;
  std::uint32_t gateway = 0;
  bool default_pool = false;
  bool predefined = false;
};

struct FakeVolume {
  std::string name{};
  FakeTime created = 0;
  Json body{};
  bool anonymous = false;
  bool asleep = false;  ///< known from before a restart, and nobody has looked at it since
};

struct FakeListener {
  std::weak_ptr<FakeFeed> feed{};
  std::map<std::string, std::vector<std::string>> filters{};
  engine::ApiVersion version{};
};

/// Runs functions at their time, on the loop's clock and whatever was skipped by advance().
class FakeAgenda final : public io::Timer {
 public:
  explicit FakeAgenda(io::Loop& loop) : Timer(loop), loop_(loop) {}
  io::Time now() const;
  void in(io::Duration after, std::function<void()> what);
  void advance(io::Duration duration);

 private:
  void fire() override;
  void run_until(io::Time when);
  void rearm();

  io::Loop& loop_;
  io::Duration skipped_{};
  std::optional<io::Time> running_{};  ///< the time of what runs now
  std::multimap<io::Time, std::function<void()>> todo_;
};

struct FakeFaultState {
  FakeFault fault;
  int seen = 0;
  int hit = 0;
};

class FakeState {
 public:
  FakeState(io::Loop& loop, FakeEngineOptions given);

  FakeTime now() const;
  /// now(), but later than every other one before: what happens has an order.
  FakeTime tick();
  /// 64 hex digits, the same in every run.
  std::string new_id(std::string_view kind);
  bool at_least(int minor) const { return api >= engine::ApiVersion{1, minor}; }

  FakeContainer* find_container(std::string_view id_or_name);
  FakeContainer* container_by_id(std::string_view id);
  FakeStoredImage* find_image(std::string_view reference_or_id);
  /// By exact id, name or unique prefix; of several with the same name the first.
  FakeNetwork* find_network(std::string_view id_or_name);
  FakeVolume* find_volume(std::string_view name);
  void emit(std::string_view type, std::string_view action, std::string_view id, Json attributes);
  void emit(const FakeContainer& container, std::string_view action, Json more = {});

  FakeEngineOptions options;
  engine::ApiVersion api;
  engine::ApiVersion oldest;
  io::Time begin;
  FakeAgenda agenda;
  std::uint64_t ids = 0;
  FakeTime last_tick = 0;
  int next_pid = 1000;
  int next_port = 32768;

  std::list<FakeContainer> containers{};  ///< newest first
  std::list<FakeStoredImage> images{};
  std::list<FakeNetwork> networks{};
  std::list<FakeVolume> volumes{};
  std::list<FakeExecRun> execs{};
  std::deque<Json> events{};  ///< the last 256, as dockerd keeps them
  std::list<FakeListener> listeners{};

  std::map<std::string, FakeRemote> remotes{};
  std::vector<FakeBuild> builds{};
  std::vector<FakeExec> exec_scripts{};
  std::vector<std::pair<std::string, FakeProcess>> behaviours{};
  std::vector<FakeFaultState> faults{};
  std::function<std::optional<FakeFault>(const FakeCall&)> decide_fault{};
  bool deciding = false;
  std::vector<FakeCall> calls{};
  std::uint64_t forgotten = 0;  ///< calls that were cleared
};

}  // namespace berth::testing
