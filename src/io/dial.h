// TCP to hosts by name, plain or with TLS.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/socket.h"
#include "io/tls.h"

namespace berth::io {

/// Addresses of a host name or an IP literal by the system's resolver, in its order, at least one. It works on a thread
/// of the pool and is not interrupted. Code::not_found for a name that does not exist, Code::unavailable else.
Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port);

/// Tries each address of the host, up to 10 s each; then the handshake where there is a context.
class TcpDialer final : public Dialer {
 public:
  TcpDialer(std::string host, std::uint16_t port, std::shared_ptr<TlsContext> tls = nullptr)
      : host_(std::move(host)), port_(port), tls_(std::move(tls)) {}
  Task<Result<std::unique_ptr<Stream>>> dial() override;
  std::string name() const override { return host_ + ":" + std::to_string(port_); }

 private:
  Task<Result<std::unique_ptr<Stream>>> connect_to_any();
  std::string host_;
  std::uint16_t port_;
  std::shared_ptr<TlsContext> tls_;
};

}  // namespace berth::io
