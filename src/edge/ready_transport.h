// A serversTransport ready for use: its certificates parsed, its TLS contexts made.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "edge/service.h"
#include "edge/snapshot.h"
#include "io/tls.h"

namespace berth::edge {

/// Immutable, any thread.
class ReadyTransport {
 public:
  /// What TLS offers: HTTP/2 and 1.1, 1.1 alone, or nothing.
  enum class Offer { both, http1, none };

  explicit ReadyTransport(Transport options);
  const Transport& options() const { return options_; }
  /// A text that does not parse makes this fail, always.
  Result<std::shared_ptr<io::TlsContext>> tls(Offer offer) const;
  /// Expected in the certificate of the server at this address.
  const std::string& expected(const std::string& host) const {
    return options_.server_name.empty() ? host : options_.server_name;
  }

 private:
  Transport options_;
  std::shared_ptr<io::TlsContext> contexts_[3];
  Error fault_;
};

/// For a new connection, TLS included.
std::chrono::milliseconds connect_time(const Upstream& upstream, const Settings& settings);
/// From the request's end to the reply's head.
std::chrono::milliseconds answer_time(const Upstream& upstream, const Settings& settings);

/// Those of one table. A value that shares what it holds.
class ReadyTransports {
 public:
  /// With other options where there are some; what is the same in both goes on being used, with its connections.
  ReadyTransports changed(const std::optional<std::vector<Transport>>& http, const std::optional<TcpConfig>& tcp) const;
  /// Gives a service's upstreams what they name. Code::invalid when that is none of these.
  Result<void> hand_over(Service& service) const;
  Result<void> hand_over(TcpService& service) const;
  /// Of HTTP.
  std::vector<Transport> options() const;
  /// Those that cannot be used, and why.
  std::vector<std::string> faults() const;

 private:
  using List = std::vector<std::shared_ptr<const ReadyTransport>>;
  List http_, tcp_;
};

}  // namespace berth::edge
