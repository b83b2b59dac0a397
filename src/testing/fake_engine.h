// A Docker Engine that lives in memory: it holds state, records calls and fails on demand. Time is the loop's, so that
// on a simulated loop nothing sleeps.
//
//   auto loop = testing::simulated_loop();
//   testing::FakeEngine engine(*loop);
//   engine.add_image("debian:bookworm-slim");
//   auto client = loop->run(engine::Client::connect(*engine::parse_address("unix:///fake"), engine.dialer()));
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "io/stream.h"

namespace berth::testing {

/// What a main process writes, `after` its start.
struct FakeOutput {
  std::string text{};  ///< with its newline
  bool err = false;
  io::Duration after{};
};
/// A result of the health check, `after` the start: "healthy", "unhealthy".
struct FakeHealth {
  io::Duration after{};
  std::string status = "healthy";
};

/// How the main process of a container behaves.
struct FakeProcess {
  std::optional<io::Duration> exits_after{};  ///< of itself; absent: runs until it is stopped
  int exit_code = 0;                          ///< then
  bool ignores_stop = false;                  ///< stop and restart take the whole grace and end with 137
  int stop_code = 0;                          ///< exit status after the stop signal
  std::vector<FakeOutput> output{};
  bool echoes = false;               ///< writes what an attached client sends, and exits at the end of its input
  std::vector<FakeHealth> health{};  ///< empty: healthy after the check's interval; used where there is a check
  std::string start_error{};         ///< the start fails with 400 and this message, the status is then 127
};

struct FakeImage {
  Json config{};  ///< its inspect's Config ({"Cmd": [...], "ExposedPorts": {...}}); the rest gets the engine's defaults
  FakeProcess process{};
  std::string id{};                            ///< "" derives one from the reference and `config`
  std::map<std::string, std::string> files{};  ///< what its containers hold: absolute path -> content
};

/// An image on the registry.
struct FakeRemote {
  FakeImage image{};
  std::string error{};        ///< ends the pull in the middle of its progress
  io::Duration layer_time{};  ///< of each of its two layers
  std::string auth{};         ///< required in X-Registry-Auth (as sent); "" lets everybody pull
};

/// What builds whose tag matches `tag` (a glob) do. Without one they succeed; the image's id then depends on the
/// context, the Dockerfile and the arguments, so that an unchanged context gives the same image.
struct FakeBuild {
  std::string tag = "*";
  std::vector<std::string> output{};  ///< lines of the log
  std::string error{};                ///< ends the build after them
  int error_code = 1;
  FakeImage image{};
  io::Duration line_time{};
};

/// What an exec does whose container's name and command (joined by spaces) match the globs. Without one it exits with 0
/// at once.
struct FakeExec {
  std::string container = "*";
  std::string command = "*";
  std::string out{};
  std::string err{};
  int exit_code = 0;
  io::Duration takes{};
  bool echoes = false;  ///< writes what comes in until its end, then exits
};

/// What goes wrong with calls; globs, where * matches '/' too.
struct FakeFault {
  std::string method = "*";
  std::string path = "*";  ///< without the version and the query: "/containers/*/start"
  int skip = 0;            ///< so many matching calls pass first
  int times = 1;           ///< then so many are hit; -1: all
  io::Duration delay{};    ///< before the call is looked at
  int status = 0;          ///< answers with it and `message`, without an effect
  std::string message = "injected fault";
  bool drop = false;                          ///< closes the connection instead of answering, without an effect
  bool done = false;                          ///< with `status` or `drop`: the effect happens all the same
  std::optional<std::size_t> cut_after = {};  ///< does it, sends so many bytes of the body and closes the connection
};

struct FakeRequest {
  std::string method = "GET";
  std::string target = "/";  ///< path and query, with or without "/v1.41"
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
};

class FakeFeed;
class FakeState;
/// What the engine answers.
struct FakeReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::shared_ptr<FakeFeed> feed{};  ///< what follows `body`, piece by piece (follow, events, wait, attach)
  bool hijacked = false;             ///< the connection becomes a raw stream both ways
  io::Duration wait{};               ///< sent only after so long (stop with its grace)

  Json json() const;  ///< of the body; null when it is none
};

/// One call as it came.
struct FakeCall {
  std::string method{};
  std::string version{};  ///< "1.41", "" when unversioned
  std::string path{};     ///< below the version, decoded
  std::string query{};    ///< as sent
  std::vector<std::pair<std::string, std::string>> headers{};
  Json body{};                         ///< where it was JSON
  std::size_t size = 0;                ///< bytes of the body
  std::vector<std::string> entries{};  ///< names in a tar that was sent
  int status = 0;                      ///< answered; 0 for a dropped connection

  std::string text() const;  ///< "POST /containers/create?name=web"
};

struct FakeEngineOptions {
  std::string api = "1.41";                  ///< the newest version it speaks
  std::string oldest_api{};                  ///< "" is that of an engine that speaks `api`
  bool pinned = false;                       ///< answers every version as of `api`: behind a broker
  std::string version{};                     ///< of the engine; "" is one that speaks `api`
  std::int64_t epoch = 1'767'225'600;        ///< seconds since 1970 when it begins: 2026-01-01
  std::vector<std::uint16_t> taken_ports{};  ///< of the host, by foreign processes
  std::vector<std::string> missing_paths{};  ///< of the host: bind mounts of them (in Mounts) are refused
};

/// Thread: its loop's. It must be destroyed before the loop and while the loop does not run; inside a coroutine
/// await close() first.
class FakeEngine {
 public:
  class Front;
  explicit FakeEngine(io::Loop& loop, FakeEngineOptions options = {});
  ~FakeEngine();

  // The world before the test. References without a tag mean ":latest"; the last one told wins.
  void add_image(std::string_view reference, FakeImage image = {});
  void add_remote(std::string_view reference, FakeRemote remote = {});
  void on_build(FakeBuild build);
  void on_exec(FakeExec exec);
  /// For containers whose name, or else whose image as given, matches `pattern`; before what the image says.
  void behave(std::string pattern, FakeProcess process);

  // Ways to talk to it.
  /// One call at once; `wait` and faults' delays are told, not waited for.
  FakeReply handle(const FakeRequest& request);
  /// Streams whose other ends it serves. May outlive the engine: dialling then fails.
  std::unique_ptr<io::Dialer> dialer();
  /// Serves on a socket file until cancelled; needs a real loop.
  io::Task<Result<void>> serve_unix(std::string path);
  /// Ends every connection and waits for their tasks.
  io::Task<void> close();

  // What happens on its own. `container` is a name or an id that must exist.
  /// Lets `duration` pass at once, for tests that use handle() alone.
  void advance(io::Duration duration);
  void exit(std::string_view container, int status);
  void set_health(std::string_view container, std::string_view status);
  void log(std::string_view container, std::string_view text, bool err = false);
  /// The content of a file in a container; nullopt when there is none.
  std::optional<std::string> file(std::string_view container, std::string_view path) const;

  // Looks from beside it: no call, no fault, and much cheaper. Each item is what inspect answers.
  std::vector<Json> containers() const;
  std::vector<Json> networks() const;
  std::vector<Json> volumes() const;

  // Faults.
  void inject(FakeFault fault);
  /// Asked before each call that no injected fault hits, once it has come; may change the world by handle() and the
  /// like, of which it is not asked. `method`, `path`, `skip` and `times` of what it gives mean nothing.
  void on_call(std::function<std::optional<FakeFault>(const FakeCall&)> decide);
  void refuse_connections(bool refuse);
  void drop_connections();
  /// As a restart of the daemon: connections drop, the past events are gone, containers stop unless they restart.
  void restart();

  // What it was asked.
  const std::vector<FakeCall>& calls() const;
  void forget_calls();
  /// How many calls match the globs.
  std::size_t count(std::string_view method, std::string_view path) const;
  /// text() of all but GET and HEAD calls, in order: what changed the world.
  std::vector<std::string> changes() const;

 private:
  std::shared_ptr<FakeState> state_;
  std::shared_ptr<Front> front_;
};

}  // namespace berth::testing
