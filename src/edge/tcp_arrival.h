// A connection that was just accepted: whose it is, and what its first bytes say.
#pragma once

#include <memory>
#include <string>

#include "edge/proxy_protocol.h"
#include "edge/tcp_hello.h"
#include "io/stream.h"

namespace berth::edge {

/// Reads no more than it needs to decide; release() gives all of it on.
class Arrival {
 public:
  explicit Arrival(std::unique_ptr<io::Stream> stream);

  /// The connection's two ends: those of the sockets, or what a PROXY protocol header says.
  const ProxyHeader& ends() const { return ends_; }
  io::Stream& stream() { return *stream_; }
  const ClientGreeting& greeting() const { return greeting_; }
  /// The client asked for TLS as PostgreSQL's clients do, and was told to go on.
  bool is_postgres() const { return postgres_; }

  /// Takes the header from the begin. Code::invalid when there is none or it is wrong.
  io::Task<Result<void>> read_proxy_header();
  /// Reads a TLS client's first message, or finds out that it is none. With `tls_served` PostgreSQL's clients, who ask
  /// whether there is TLS, are told yes.
  io::Task<Result<void>> read_greeting(bool tls_served);
  /// The stream with what was read before it.
  std::unique_ptr<io::Stream> release();

 private:
  /// False: the peer sends no more.
  io::Task<Result<bool>> more();
  /// Answers one of PostgreSQL's questions at the begin; false when there is none, or not all of it yet.
  io::Task<Result<bool>> answer_question();

  std::unique_ptr<io::Stream> stream_;
  std::string bytes_;
  std::string peer_;  ///< when a header named another than the socket's
  ProxyHeader ends_;
  ClientGreeting greeting_;
  bool postgres_ = false;
};

/// What PostgreSQL's clients send before TLS, and servers answer with 'S'.
extern const std::string_view kPostgresTls;

}  // namespace berth::edge
