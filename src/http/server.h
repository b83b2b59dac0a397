// A small HTTP/1.1 server over io's streams; requests of one connection are handled one after the other.
#pragma once

#include <functional>
#include <optional>

#include "http/wire.h"
#include "io/socket.h"

namespace berth::http {

/// What a handler reads. Views live until the handler returns.
class ServerRequest {
 public:
  ServerRequest(const RequestHead& head, Wire& wire, io::Duration stall);
  const RequestHead& head() const { return head_; }
  /// The next piece of the body, valid until the next call; empty at the end. Sends "100 Continue" first where the
  /// client waits for it. Code::invalid when malformed, unavailable when cut off, timeout when nothing came for
  /// ServerOptions::stall.
  io::Task<Result<std::string_view>> next();
  /// The whole body; Code::invalid beyond `limit` bytes.
  io::Task<Result<std::string>> body(std::size_t limit);
  bool finished() const { return pump_.done(); }
  /// Waits until the peer closes its side. Code::invalid when it sends further requests than are kept meanwhile.
  /// REQUIRES: finished().
  io::Task<Result<void>> until_gone();
  /// The client waits for a "100 Continue" that was not sent.
  bool owes_continue() const { return owes_continue_; }

 private:
  const RequestHead& head_;
  Wire& wire_;
  BodyPump pump_;
  io::Duration stall_;
  bool owes_continue_;
};

/// What a handler writes: send() alone; or begin(), write()s, finish(); or upgrade() alone.
class ResponseWriter {
 public:
  ResponseWriter(Wire& wire, const RequestHead& head, bool keep_alive);
  /// A whole reply. `headers` may not hold framing fields (Content-Length, Transfer-Encoding, Connection).
  io::Task<Result<void>> send(int status, Headers headers, std::string_view body);
  io::Task<Result<void>> send_json(int status, std::string body);
  /// The head of a reply that streams: with `length` bytes, else chunked (until close for HTTP/1.0).
  io::Task<Result<void>> begin(int status, Headers headers, std::optional<std::uint64_t> length = {});
  /// A piece of the body, sent at once.
  io::Task<Result<void>> write(std::string_view bytes);
  io::Task<Result<void>> finish();
  /// Answers `status` (101 with the request's Upgrade and Connection) and takes the connection over. `headers` come on
  /// top.
  io::Task<Result<Upgraded>> upgrade(int status = 101, Headers headers = {});

  bool started() const { return state_ != State::fresh; }
  bool complete() const { return state_ == State::done; }
  bool taken() const { return state_ == State::taken; }
  /// Whether another request may follow on this connection.
  bool keeps_alive() const { return keep_alive_; }
  void close_after() { keep_alive_ = false; }

 private:
  enum class State { fresh, streaming, done, taken };
  Result<std::string> head_text(int status, const Headers& headers) const;
  bool bodiless(int status) const;

  Wire& wire_;
  const RequestHead& head_;
  bool keep_alive_;
  State state_ = State::fresh;
  BodyKind kind_{};  // of the reply that streams; its length counts down
  std::string scratch_;
};

/// Answers one request. An error before the reply began becomes a 500 with its message ({"message": ...}) by its code;
/// later it cuts the connection.
using Handler = std::function<io::Task<Result<void>>(ServerRequest& request, ResponseWriter& response)>;

struct ServerOptions {
  HeadLimits head{};
  io::Duration head_deadline = std::chrono::seconds(10);  ///< from its first byte to its last
  io::Duration idle = std::chrono::seconds(75);           ///< between requests
  io::Duration stall = std::chrono::seconds(60);          ///< between two pieces of a request body
  HostRule host = HostRule::required;
};

/// Serves one connection to its end. `handler` outlives the task.
io::Task<Result<void>> serve_connection(std::unique_ptr<io::Stream> stream, const Handler& handler,
                                        ServerOptions options = {});
/// Accepts and serves until cancelled or the listener is closed; then its connections are cancelled and joined.
io::Task<Result<void>> serve(io::Listener& listener, const Handler& handler, ServerOptions options = {});

/// The status that stands for an error of ours.
int status_of(Code code);

}  // namespace berth::http
