// The supervisor: keeps the listening sockets, starts core and edge, joins them by a socketpair, restarts what dies,
// and puts a newer program in the place of all three. Either child can die without the other noticing more than a new
// channel.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/broker_role.h"
#include "app/listening.h"
#include "io/process.h"

namespace berth::app {

/// Thread: its loop's.
class Supervisor {
 public:
  struct Start {
    ServeOptions options;
    std::string core;                    ///< argument of the role
    BrokerOptions broker{};              ///< of that role
    io::Fd broker_listening{};           ///< its socket, which outlives it
    std::vector<std::string> arguments;  ///< of `berth serve`, for the program that comes after this one
    int lock = -1;                       ///< of the data folder, held by the caller
    std::vector<Listening> listening{};
    std::optional<Succession> succession{};  ///< `listening` is taken out of it
  };
  explicit Supervisor(Start start);
  ~Supervisor();

  /// Until SIGTERM, SIGINT or SIGHUP; the exit status. SIGUSR1 has the access log go on in a new file; SIGUSR2 replaces
  /// this program by the one that its path names.
  io::Task<int> run(io::Signals& signals);

 private:
  /// One role: its process while it runs, and our end of the channel to it.
  struct Role {
    std::string verb;
    std::string argument;
    std::map<int, int> descriptors{};
    std::unique_ptr<io::Process> process{};
    std::unique_ptr<io::Stream> channel{};
    io::Cancel* replaced = nullptr;  ///< ends the wait for `process`
    int failures = 0;
  };
  Role core_role(std::string argument) const;
  Role edge_role(bool takes_over) const;
  Role broker_role(const BrokerOptions& options) const;
  io::Task<Result<void>> take_office();
  io::Task<void> watch(io::Signals& signals, io::Scope& scope);
  io::Task<Result<void>> reopen_log();
  io::Task<Result<void>> start(Role& role, std::string program);
  io::Task<Result<void>> connect(Role& edge);
  io::Task<void> keep(Role& role, io::Scope& scope);
  static bool never_served(const Role& role, int status, io::Duration ran);
  io::Task<Result<int>> end_of(Role& role);
  io::Task<void> stop(io::Process* process, io::Duration grace);
  io::Task<void> reap(io::Process* process);
  io::Task<void> upgrade(io::Scope& scope);
  io::Task<Result<void>> replace_edge(io::Scope& scope);
  io::Task<Result<void>> become_ready(Role& next);
  Error hand_on();

  ServeOptions options_;
  std::vector<std::string> arguments_;
  int lock_;
  std::vector<Listening> listening_;
  io::Fd broker_listening_;
  std::optional<Succession> succession_;
  Role core_, edge_, broker_;
  std::vector<std::unique_ptr<io::Process>> leaving_;  ///< edges that drain
  bool upgrading_ = false, hands_on_ = false;
  int status_ = 0;
};

}  // namespace berth::app
