// Core's side of a replacement without a gap: answers plan::Traffic's questions on the control socket.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "app/core.h"
#include "edge/cache_command.h"
#include "edge/channel.h"
#include "edge/load_command.h"
#include "edge/view_command.h"
#include "io/scope.h"
#include "io/socket.h"
#include "plan/traffic_socket.h"

namespace berth::app {

/// What core and the traffic server share. Thread: the loop's.
struct Switchboard {
  static constexpr std::size_t kMostLines = 4000;
  explicit Switchboard(Desk& its_desk) : desk(its_desk) {}
  Desk& desk;
  std::uint64_t begun = 0;            ///< number of the last look at the engine
  std::uint64_t ended = 0;            ///< of the last one that ended well
  std::uint64_t accepted = 0;         ///< the snapshot that the edge uses; 0: there is no edge
  std::set<std::string> leaving;      ///< upstream_key of those that are named no more and still answer requests
  std::uint64_t asked = 0;            ///< id of the last command
  std::vector<std::string> commands;  ///< payloads for the edge
  std::map<std::uint64_t, edge::EdgeEvent> answers;  ///< to commands, until they are taken
  std::function<Result<void>()> held;                ///< what is held changed: publish and keep it
  /// X-Registry-Auth for a reference; told to root and to our own account alone.
  std::function<io::Task<Result<std::string>>(std::string reference)> registry_auth{};
  io::Event outgoing;             ///< there is something to send to the edge
  io::Event wanted;               ///< core shall look at the engine
  std::deque<std::string> lines;  ///< lines of requests that ended while somebody followed, the newest last
  std::uint64_t told = 0;         ///< number of all such lines; those that are not in `lines` any more are lost
  io::Time followed{};            ///< when the edge was last asked to tell them
  io::Event moved;                ///< one of the above changed
};

/// Answers connections on `path` (0660) until cancelled; each has one question.
class TrafficServer {
 public:
  TrafficServer(Switchboard& board, std::string path) : board_(board), path_(std::move(path)) {}
  /// Code::conflict when another serve answers there.
  io::Task<Result<void>> run();

 private:
  io::Task<void> serve(std::unique_ptr<io::Stream> stream);
  io::Task<std::string> answer(std::string line, bool own);
  io::Task<Result<Json>> registry(std::string reference, bool own);
  plan::TrafficView view() const;
  io::Task<Result<plan::Routing>> route(std::string id);
  io::Task<Result<plan::Drained>> drain(std::string id, io::Duration most);
  io::Task<Result<Json>> ask_cache(plan::ControlRequest request);
  io::Task<Result<Json>> command(edge::CacheCommand command);
  io::Task<Result<Json>> hold(plan::ControlRequest request);
  io::Task<Result<edge::Load>> load(edge::LoadCommand command);
  io::Task<Result<void>> until_still(edge::LoadCommand command);
  io::Task<Result<Json>> answer_of(std::uint64_t id, std::string payload);
  io::Task<Result<Json>> tell(plan::ControlRequest request);
  io::Task<Result<Json>> show_metrics();
  io::Task<Result<Json>> show_requests(plan::ControlRequest request);
  io::Task<Result<Json>> follow(std::uint64_t since);
  io::Task<Result<Json>> view(edge::ViewCommand::What what);
  io::Task<Result<void>> look();
  io::Task<Result<void>> used();
  io::Task<Result<void>> until_unused(std::vector<std::string> keys);
  io::Task<Result<void>> next_move();

  Switchboard& board_;
  std::string path_;
};

}  // namespace berth::app
