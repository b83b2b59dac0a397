// The sockets on which edges accept. The supervisor opens and keeps them: they outlive every edge.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "app/serve.h"
#include "base/json.h"
#include "io/socket.h"

namespace berth::app {

/// On loopback, from the edge to core. No entry point can have this name.
inline constexpr std::string_view kDoor = "core@internal";

struct Listening {
  std::string role;  ///< "web", "websecure" or another entry point, or kDoor
  std::string address;
  io::Fd fd;
  bool udp = false;
};

/// For each address of the options one socket per worker. Codes as io::listen_on.
Result<std::vector<Listening>> open_listening(const ServeOptions& options);

/// Kept by the supervisor too: while core is away nobody else can take the port and be sent what is for core.
Result<Listening> open_door();

/// What a supervisor tells the program that takes its place. No secrets: it is an argument.
struct Succession {
  std::vector<Listening> listening;
  int lock = -1;               ///< of the data folder
  pid_t edge = -1;             ///< serves already
  int channel = -1;            ///< to that edge
  std::vector<pid_t> leaving;  ///< edges that drain
  std::int64_t number = 0;     ///< of the upgrade
};
std::string encode_succession(const Succession& succession);
/// Takes the descriptors over. Code::invalid when it was not written by encode_succession.
Result<Succession> decode_succession(std::string_view text);
/// All descriptors of it.
std::vector<int> descriptors_of(const Succession& succession);

/// The last upgrade, as its file DATA/upgrade.json says.
struct UpgradeOutcome {
  std::int64_t number = 0;  ///< one more than of the one before; 0: there was none
  std::string program{};
  std::string why{};  ///< it failed; "": it is done
};
UpgradeOutcome read_upgrade(const std::string& data);
Result<void> write_upgrade(const std::string& data, const UpgradeOutcome& outcome);

}  // namespace berth::app
