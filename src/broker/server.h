// The broker's server: clients' requests, each decided, written anew and sent to the engine on a connection of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "broker/decide.h"
#include "http/client.h"
#include "http/server.h"
#include "io/tls.h"

namespace berth::broker {

/// Opens connections to the engine.
using Dial = std::function<std::unique_ptr<io::Dialer>()>;
/// One line of JSON for each denial; without a line's end.
using Log = std::function<void(const std::string& line)>;

/// The engine behind one or more listeners. Thread: its loop's.
class Engine {
 public:
  explicit Engine(Dial dial) : dial_(std::move(dial)) {}
  /// What it and we speak; asked again after 30 s and after a connection failed. Code::unavailable when it does not
  /// answer, or only speaks versions that are newer or older than ours.
  io::Task<Result<Versions>> versions();
  /// A fresh connection for each request.
  http::Pool pool() const;
  void forget() { versions_.reset(); }
  /// The object as the engine shows it; Code::not_found when there is no such object.
  io::Task<Result<Json>> inspect(Reference reference);
  /// The object's labels by its name; null when it has none; Code::not_found as inspect().
  io::Task<Result<Json>> labels_of(Reference reference);

 private:
  io::Task<Result<Json>> get(std::string target);
  Dial dial_;
  std::optional<Versions> versions_;
  io::Time asked_{};
};

/// One listener with its policy; outlives its serve().
class Door {
 public:
  Door(Engine& engine, Log log) : engine_(engine), log_(std::move(log)) {}
  /// For requests from now on.
  void use(std::shared_ptr<const Policy> policy) { policy_ = std::move(policy); }
  /// Until cancelled. REQUIRES: use() was called. With `tls`, which asks for client certificates, over TLS.
  io::Task<Result<void>> serve(io::Listener& listener, std::shared_ptr<io::TlsContext> tls = nullptr);
  std::size_t denied() const { return denied_; }

 private:
  io::Task<Result<void>> handle(const std::string& name, http::ServerRequest& request, http::ResponseWriter& response);
  io::Task<void> serve_client(std::unique_ptr<io::Stream> stream, std::shared_ptr<io::TlsContext> tls);
  void note(const std::string& client, std::string_view method, std::string_view target, const Verdict& verdict);

  Engine& engine_;
  Log log_;
  std::shared_ptr<const Policy> policy_;
  std::size_t denied_ = 0, clients_ = 0;
};

}  // namespace berth::broker
