#include "engine/dialer.h"

#include "engine/socket_access.h"
#include "engine/ssh.h"
#include "io/dial.h"

namespace berth::engine {
namespace {

// The unix dialer, whose failures say what to do.
class SocketDialer final : public io::Dialer {
 public:
  explicit SocketDialer(const std::string& path) : path_(path), inner_(path) {}
  std::string name() const override { return inner_.name(); }
  io::Task<Result<std::unique_ptr<io::Stream>>> dial() override {
    auto stream = co_await inner_.dial();
    const bool explained = !stream && stream.error().code != Code::cancelled && stream.error().code != Code::timeout;
    if (explained) co_return fail(explain_socket(socket_facts(path_), stream.error()));
    co_return stream;
  }

 private:
  std::string path_;
  io::UnixDialer inner_;
};

// TCP, whose failures name the address that was asked for.
class NetworkDialer final : public io::Dialer {
 public:
  NetworkDialer(const Address& address, std::shared_ptr<io::TlsContext> tls)
      : name_(address.text()), inner_(address.host, static_cast<std::uint16_t>(address.port), std::move(tls)) {}
  std::string name() const override { return name_; }
  io::Task<Result<std::unique_ptr<io::Stream>>> dial() override {
    auto stream = co_await inner_.dial();
    if (stream || stream.error().code == Code::cancelled || stream.error().code == Code::timeout) co_return stream;
    Error error = std::move(stream.error()).within(name_);
    if (error.code == Code::denied) error.message += "; ca.pem must be of the CA that signed the engine's certificate";
    co_return fail(std::move(error));
  }

 private:
  std::string name_;
  io::TcpDialer inner_;
};

Result<std::shared_ptr<io::TlsContext>> tls_of(const Address& address, const TlsTexts& texts) {
  io::TlsClientOptions options{.server_name = address.host, .ca_pem = texts.ca, .alpn = {"http/1.1"}};
  // Without one the system's roots would do, and any of them could speak for the engine.
  if (texts.ca.empty()) return fail(Code::invalid, "the certificate of the engine's CA is missing");
  if (!texts.certificate.empty()) options.identity = TRY(io::TlsIdentity::from_pem(texts.certificate, texts.key));
  return io::TlsContext::client(std::move(options));
}

Result<std::unique_ptr<io::Dialer>> network_dialer(const Address& address, const Access& access) {
  TRY(check_reachable(address, access.tls.has_value()));
  std::shared_ptr<io::TlsContext> tls;
  if (access.tls) {
    auto made = tls_of(address, *access.tls);
    if (!made) return fail(std::move(made.error()).within("TLS for " + address.text()));
    tls = std::move(*made);
  }
  return std::make_unique<NetworkDialer>(address, std::move(tls));
}

}  // namespace

Result<std::unique_ptr<io::Dialer>> make_dialer(const Address& address, const Access& access) {
  switch (address.kind) {
    case Address::Kind::unix_socket:
      return std::make_unique<SocketDialer>(address.path);
    case Address::Kind::tcp:
      return network_dialer(address, access);
    case Address::Kind::ssh:
      return ssh_dialer(address, access.ssh);
  }
  return fail(Code::internal, "an address of no kind");
}

}  // namespace berth::engine
