// One program with a terminal inside a container, and the sockets that come to it one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/exec.h"
#include "http/websocket.h"
#include "http/wire.h"
#include "io/scope.h"

namespace berth::api {

/// The newest bytes of a stream, each at its place in it.
class Backlog {
 public:
  explicit Backlog(std::size_t most) : most_(most) {}
  void add(std::string_view bytes);
  std::uint64_t oldest() const { return end_ - kept_.size(); }  ///< of those kept
  std::uint64_t end() const { return end_; }                    ///< of the next byte
  /// What is kept from `place` on, at most `count` bytes; valid until add().
  std::string_view from(std::uint64_t place, std::size_t count) const;

 private:
  std::size_t most_;
  std::uint64_t end_ = 0;
  std::string kept_;
};

/// What people are told of it.
struct TerminalAbout {
  std::string id{};
  std::string container{}, name{};  ///< id and name
  std::string project{};            ///< "" without one
  std::vector<std::string> command{};
  std::string user{};          ///< "" is the container's own
  std::string by{}, called{};  ///< who opened it: id of a principal, and name
  std::int64_t opened_at = 0;  ///< milliseconds since 1970
};

/// Thread: its loop's. Held by those who work on it.
class Terminal {
 public:
  static constexpr std::size_t kKept = 64u << 10;  ///< bytes of output for those who come back

  Terminal(TerminalAbout about, std::shared_ptr<engine::Client> client, std::string exec, engine::Attachment line);
  const TerminalAbout& about() const { return about_; }
  bool attached() const { return session_ != nullptr; }
  bool ended() const { return ended_; }
  /// Set when one of the two above changes.
  io::Event& changed() { return changed_; }

  /// Takes the program's output until its end. While a socket is there it is read no faster than that one takes it.
  io::Task<void> read();
  /// Speaks WebSocket with a client until either side ends it: output (first what is kept) and input as binary frames,
  /// {"resize": {"cols", "rows"}} from the client and {"exit": n} to it as text. A socket that comes takes the place
  /// of the one before it. After a quarter of an hour it is closed with 1001, so that who comes again is looked up
  /// anew. After 60 s without a sign of the client it counts as lost.
  io::Task<Result<void>> converse(http::Upgraded& socket);
  io::Task<void> resize(std::int64_t columns, std::int64_t rows);
  /// Types what ends a shell (^C ^D), three times at most, and hangs up. An engine has no call that ends such a
  /// program: one that reads on stays in its container.
  io::Task<void> hang_up();
  /// Types it once.
  io::Task<Result<void>> type_end();

 private:
  struct Session;
  io::Task<void> pump();
  io::Task<void> learn_status();
  io::Task<bool> room(std::size_t size);
  io::Task<void> receive(http::Upgraded& socket, Session& session);
  io::Task<void> take(http::WebSocketMessage message, Session& session);
  io::Task<void> command(std::string_view text, Session& session);
  io::Task<Result<void>> type(std::string_view bytes);
  io::Task<void> send(http::Upgraded& socket, Session& session);
  std::string gather(Session& session, io::Time now);
  void finish(Session& session, http::CloseCode code, std::string_view why);
  void stir();

  TerminalAbout about_;
  std::shared_ptr<engine::Client> client_;
  std::string exec_;
  engine::Attachment line_;
  io::Semaphore typing_{1};
  Backlog backlog_{kKept};
  bool ended_ = false;
  std::optional<std::int64_t> status_;
  io::Cancel* reading_ = nullptr;
  Session* session_ = nullptr;
  io::Event changed_, drained_;
};

}  // namespace berth::api
