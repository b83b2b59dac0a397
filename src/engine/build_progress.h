// What a build answers, of either builder: its lines, the image's id, and what failed where.
#pragma once

#include "engine/build_trace.h"
#include "engine/dockerfile.h"
#include "engine/image.h"

namespace berth::engine {

class BuildProgress {
 public:
  /// `progress` gets each line as {"stream": "...\n"}, other messages as they are.
  explicit BuildProgress(ProgressSink progress) : progress_(std::move(progress)) {}

  /// One message of the engine's reply. A trace that cannot be read is passed over.
  void add(const Json& message);
  const std::string& image() const { return image_; }
  /// Whether the engine said that the build failed (it was begun then).
  bool failed() const { return failed_; }
  /// `error` as Code::invalid, with the Dockerfile's name and line before it where they are known.
  Error explain(const Error& error, const Dockerfile& file, const std::string& shown) const;

 private:
  void add_line(const std::string& line);
  std::string tail() const;

  ProgressSink progress_;
  TraceText trace_;
  std::string image_;
  std::string log_;
  std::size_t step_ = 0;  // of the classic builder
  bool failed_ = false;
};

}  // namespace berth::engine
