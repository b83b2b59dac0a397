// The broker as a process: its listeners, its policies, SIGHUP.
#pragma once

#include <string>
#include <vector>

#include "app/serve.h"

namespace berth::app {

struct BrokerListen {
  std::string policy{};   ///< name or file; "": that of the environment
  std::string address{};  ///< "unix:PATH", "tcp:IP:PORT", "mtls:IP:PORT"
  int mode = 0660;        ///< of a socket file
  std::string group{};    ///< of a socket file; "": stays
  int descriptor = -1;    ///< it listens already
};

struct BrokerOptions {
  std::string engine{};  ///< address text
  std::vector<BrokerListen> listen{};
  std::string folder{};                           ///< of policies and grants
  std::vector<std::string> roots{};               ///< folders that containers may bind, beside the policies' own
  std::string certificate{}, key{}, client_ca{};  ///< PEM files, for mtls
  std::string log{};                              ///< file of denials; "": stderr
  std::string pid_file{};                         ///< "": none
  std::string account{};                          ///< to become, where it exists
  int supervisor = -1;                            ///< its end is ours; -1: none
};
/// Of policies and grants: /etc/berth/broker.d, where root starts or started (`apart`) the broker; else DATA/broker.d.
std::string broker_folder(const std::string& data, bool apart);
/// What the supervisor hands over, as one argument of JSON text.
std::string encode_broker(const BrokerOptions& options);
Result<BrokerOptions> decode_broker(std::string_view text);

/// Serves until SIGTERM or SIGINT, or the supervisor is gone; reads policies and grants again on SIGHUP, and keeps what
/// it has when one is wrong. Code::denied for a plain TCP address that others could reach.
Result<int> run_broker(const BrokerOptions& options, const Environment& environment);

}  // namespace berth::app
