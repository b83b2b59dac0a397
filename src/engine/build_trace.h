// What BuildKit tells while it builds: its protobuf messages decoded, and their text in the form of `--progress plain`.
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::engine {

/// Nanoseconds since 1970.
using TraceTime = std::int64_t;

struct TraceVertex {
  std::string digest{};
  std::string name{};
  bool cached = false;
  std::optional<TraceTime> started{};
  std::optional<TraceTime> completed{};
  std::string error{};
};
/// A part of a vertex with progress of its own: a layer, a transfer.
struct TraceStatus {
  std::string id{};
  std::string vertex{};
  std::int64_t current = 0;
  std::int64_t total = 0;
  bool completed = false;
};
struct TraceLog {
  std::string vertex{};
  TraceTime time = 0;
  std::string text{};
};
struct TraceWarning {
  std::string vertex{};
  std::string text{};
};
/// moby.buildkit.v1.StatusResponse, as far as it is shown.
struct Trace {
  std::vector<TraceVertex> vertices{};
  std::vector<TraceStatus> statuses{};
  std::vector<TraceLog> logs{};
  std::vector<TraceWarning> warnings{};
};

/// Code::invalid for bytes that are no such message. Unknown fields are passed over.
Result<Trace> parse_trace(std::string_view bytes);

/// Turns traces into lines: "#5 [2/3] RUN make", "#5 0.412 cc -o a", "#5 DONE 1.3s", "#6 CACHED", "#7 ERROR: ...".
class TraceText {
 public:
  /// The lines that `trace` adds, without line ends.
  std::vector<std::string> add(const Trace& trace);
  /// The name of the first vertex that failed, "" when none did: "[build 2/3] RUN make".
  const std::string& failed() const { return failed_; }
  /// What that vertex wrote, its last lines.
  std::string failed_output() const;

 private:
  struct Vertex {
    std::size_t number = 0;  // 0 until it is shown
    std::string name{};
    std::optional<TraceTime> started{};
    bool over = false;
    std::string rest{};  // of a line that did not end yet
    std::vector<std::string> tail{};
  };
  void begin(Vertex& vertex, std::vector<std::string>& lines);
  void see(const TraceVertex& seen, std::vector<std::string>& lines);
  void see(const TraceLog& log, std::vector<std::string>& lines);
  void see(const TraceStatus& status, std::vector<std::string>& lines);

  std::map<std::string, Vertex> vertices_;
  std::size_t shown_ = 0;
  std::string failed_;
  std::string failed_digest_;
};

}  // namespace berth::engine
