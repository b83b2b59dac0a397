// Where an engine listens: DOCKER_HOST texts and docker's context files, as pure functions over their text.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::engine {

/// How an engine is reached.
struct Address {
  enum class Kind {
    unix_socket,  ///< `path`
    tcp,          ///< `host`:`port`, plain or with TLS
    ssh,          ///< `user`@`host`:`port`, then the engine's own default socket
  };
  Kind kind = Kind::unix_socket;
  std::string path{};  ///< absolute socket path
  std::string host{};
  std::string user{};
  int port = 0;

  /// "unix:///var/run/docker.sock": the form that parse_address reads.
  std::string text() const;
  friend bool operator==(const Address&, const Address&) = default;
};

inline constexpr std::string_view kDefaultAddress = "unix:///var/run/docker.sock";

/// `unix://PATH`, `tcp://HOST[:PORT]` (2375), `ssh://[USER@]HOST[:PORT]` (22), a bare absolute path. Code::invalid
/// names the text and the forms that are read (npipe and fd included).
Result<Address> parse_address(std::string_view text);
/// Code::denied for TCP without TLS to another machine: whoever can listen on the way could do all that root can.
Result<void> check_reachable(const Address& address, bool tls);

/// What decides the engine of a command line, strongest first.
struct AddressChoice {
  std::string host_flag{};       ///< -H/--host
  std::string context_flag{};    ///< --context
  std::string docker_host{};     ///< DOCKER_HOST
  std::string docker_context{};  ///< DOCKER_CONTEXT
  std::string config{};          ///< text of ~/.docker/config.json, "" when absent
};
/// The context name to look up, or "" when `address` already says it.
struct Chosen {
  std::string address{};
  std::string context{};
};
/// As docker does it: --host, --context, DOCKER_HOST, DOCKER_CONTEXT, currentContext, the default socket. The context
/// "default" is the default socket (or DOCKER_HOST). Code::invalid when config.json is not JSON or both flags are
/// given.
Result<Chosen> choose_address(const AddressChoice& choice);
/// Path of a context's meta.json below ~/.docker: "contexts/meta/<sha256 of the name>/meta.json".
std::string context_meta_path(std::string_view context);
/// Of the folder with ca.pem, cert.pem and key.pem of a context, below ~/.docker.
std::string context_tls_path(std::string_view context);
/// The endpoint text of a context's meta.json. Code::invalid when the file is not one of docker's.
Result<std::string> parse_context_meta(std::string_view context, std::string_view meta);

}  // namespace berth::engine
