// What an engine beside its address asks for: TLS texts, ssh's files. And where docker keeps them. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/address.h"

namespace berth::engine {

/// PEM texts for an engine behind TCP.
struct TlsTexts {
  std::string ca{};           ///< that signed the engine's certificate
  std::string certificate{};  ///< ours; "" where the engine asks for none
  std::string key{};
};

/// How the ssh program is used. Empty: as the user has configured it, keys of the agent included.
struct SshFiles {
  std::string program = "ssh";   ///< looked up in PATH unless it holds a slash
  std::string control_folder{};  ///< short, ours alone: connections to one host share one login; "": each logs in
  /// Only these files and no configuration of the user's: what is pinned, under which name, and the key to log in with.
  struct Pinned {
    std::string known_hosts{};
    std::string alias{};
    std::string identity{};  ///< "": those in ~/.ssh
  };
  std::optional<Pinned> pinned{};
};

struct Access {
  std::optional<TlsTexts> tls{};
  SshFiles ssh{};
};

/// An engine that can be dialled.
struct Endpoint {
  Address address{};
  Access access{};
};

/// What a command line knows of its world.
struct EndpointChoice {
  AddressChoice address{};
  std::string docker_folder{};  ///< of config.json and contexts
  std::string cert_path{};      ///< DOCKER_CERT_PATH; "": docker_folder
  bool tls_verify = false;      ///< DOCKER_TLS_VERIFY is set and not empty
};
using ReadFile = std::function<Result<std::string>(const std::string& path)>;
/// As docker finds its engine and the TLS files for it: flags, environment, contexts. Code::not_found for a context
/// that does not exist; invalid for a file that cannot be used; denied as check_reachable().
Result<Endpoint> choose_endpoint(const EndpointChoice& choice, const ReadFile& read);

/// The arguments of ssh. It asks nothing, forwards nothing, and knows a host's key before or refuses. `control` is the
/// socket of the shared login, "" for none.
std::vector<std::string> ssh_login(const Address& address, const SshFiles& files, const std::string& control);
/// One connection to the engine there: its input and output.
std::vector<std::string> ssh_connection(const Address& address, const SshFiles& files, const std::string& control);
/// What ssh, or docker behind it, wrote when it ended -> what to do. Code::denied for keys, unavailable else.
Error explain_ssh(const Address& address, std::string_view errors);

}  // namespace berth::engine
