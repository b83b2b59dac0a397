// What verbs of berth's own nouns have in common: reading arguments, asking a serve.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/serve.h"
#include "engine/access.h"
#include "plan/traffic_socket.h"

namespace berth::app {

/// Reads one argument after the other.
class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& all) : all_(all) {}
  bool next() { return ++at_ < all_.size(); }
  const std::string& word() const { return all_[at_]; }
  /// The value of `flag`, behind '=' or in the next argument; nothing when this is another word.
  std::optional<std::string> value(std::string_view flag);

 private:
  const std::vector<std::string>& all_;
  std::size_t at_ = ~std::size_t{0};
};

/// Asks on the terminal, whose `question` ends with "[y/N] "; every answer but y and yes is a no. REQUIRES: stdin is
/// one.
bool agreed(const std::string& question);

/// The engine that --host, DOCKER_HOST or a docker context names, with the files to reach it.
Result<engine::Endpoint> endpoint_of(const std::string& host, const Environment& environment);

/// One question to the serve that keeps its state in `data`, and its reply within `most`. Code::unavailable when none
/// answers.
Result<Json> ask_serve(const plan::ControlRequest& request, const std::string& data, const Environment& environment,
                       std::chrono::seconds most);

}  // namespace berth::app
