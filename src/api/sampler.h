// What running containers and the host use, sampled and kept: ten-second steps for an hour, five minutes for a day.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "api/engine_desk.h"
#include "api/history.h"
#include "store/database.h"

namespace berth::api {

/// The subject of the host's own figures; containers are known by their ids.
inline constexpr std::string_view kHost = "host";

/// One call of the engine for each running container, of at most 200, every ten seconds; where the engine takes longer
/// than six for all of them, the next round is left out. What was sampled is written once a minute, in one transaction,
/// and when it ends. Thread: its loop's.
class Sampler {
 public:
  struct Options {
    EngineDesk& desk;
    store::Database& database;
    std::function<std::int64_t()> now{};  ///< milliseconds since 1970
  };
  explicit Sampler(Options options) : options_(std::move(options)) {}
  /// Until cancelled.
  io::Task<void> run();
  /// One round, and writing what rounds gave; run() does both.
  io::Task<void> sample();
  io::Task<Result<void>> keep();
  /// In the order of time: of the last hour, or of the day.
  io::Task<Result<Json>> history(std::string subject, bool day);

 private:
  struct Pending {
    std::string subject{};
    Figures figures{};
  };
  struct Round {
    std::shared_ptr<engine::Client> client{};
    std::vector<std::string> ids{};
    std::size_t next = 0, asked = 0;
  };
  void sample_host();
  io::Task<void> ask_all(Round& round);
  io::Task<void> lane(Round& round);
  void take(const std::string& subject, const Counters& counters);

  Options options_;
  std::map<std::string, Counters, std::less<>> last_;
  std::vector<Pending> pending_;
  std::int64_t kept_ = 0;
  bool slow_ = false;
};

}  // namespace berth::api
