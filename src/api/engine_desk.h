// What the API knows of one engine: a connection kept alive, its lists, and whether they are still true.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/container_view.h"
#include "engine/client.h"
#include "engine/event.h"
#include "io/scope.h"

namespace berth::api {

enum class Kind { container, image, network, volume };

/// Follows the engine's events: a list is asked for anew only after something changed or when it is ten seconds old,
/// and once for all who ask meanwhile. When the engine does not answer, the last list stays, marked stale, until it
/// does. Thread: its loop's.
class EngineDesk {
 public:
  struct Options {
    std::string address{};
    std::function<std::unique_ptr<io::Dialer>()> dialer{};  ///< absent: the address is dialled
    std::function<std::int64_t()> now{};                    ///< milliseconds since 1970
    /// Told of each event worth telling people (not those of execs and health checks' runs).
    std::function<void(const engine::EngineEvent&)> happened = [](const engine::EngineEvent&) {};
    std::function<void()> state_changed = [] {};  ///< up or down
  };
  explicit EngineDesk(Options options);

  /// Connects, follows and recovers until cancelled.
  io::Task<void> run();

  using Containers = std::shared_ptr<const std::vector<ContainerItem>>;
  using List = std::shared_ptr<const Json>;
  /// As the engine lists them now, or last did. Code::unavailable when it never answered.
  io::Task<Result<Containers>> containers();
  /// The engine's own array: images, networks, volumes.
  io::Task<Result<List>> list(Kind kind);
  /// Null, or {"since", "why"} when the engine does not answer.
  Json stale() const;
  /// For calls beyond the lists. Code::unavailable with the reason when the engine does not answer.
  Result<std::shared_ptr<engine::Client>> client() const;
  /// We changed something: the next list is asked for anew, whether the event has come or not.
  void changed(Kind kind) { kept_[index(kind)].dirty = true; }
  const std::string& address() const { return options_.address; }

 private:
  struct Kept {
    List list{};
    Containers containers{};  ///< of Kind::container
    io::Time at{};
    bool dirty = true;
    io::Semaphore one{1};
  };
  static std::size_t index(Kind kind) { return static_cast<std::size_t>(kind); }
  io::Task<Result<void>> connect();
  io::Task<void> follow();
  io::Task<void> watch();
  io::Task<Result<void>> settle(Kind kind);
  io::Task<Result<void>> refresh(Kind kind);
  bool fits(const Kept& kept, io::Time now) const;
  void take(const engine::EngineEvent& event);
  bool is_passing(const engine::EngineEvent& event);
  void down(const Error& error);
  void up();

  Options options_;
  std::shared_ptr<engine::Client> client_;
  bool up_ = false;
  std::int64_t since_ = 0;  ///< of being down
  std::string why_ = "the engine was not asked yet";
  std::array<Kept, 4> kept_;
  std::string empty_image_;  ///< id of the last one that was told of
};

}  // namespace berth::api
