// One request on its way: decided, sent on, its reply passed back.
#pragma once

#include <memory>
#include <string>

#include "broker/server.h"

namespace berth::broker {

/// Lives as long as its request. Thread: loop only.
class Forward {
 public:
  struct Client {
    std::string name;  ///< "uid=1000 pid=7", "192.0.2.1:4711"
    std::shared_ptr<const Policy> policy;
  };
  Forward(Engine& engine, const Client& client, http::ServerRequest& request, http::ResponseWriter& response)
      : engine_(engine), client_(client), policy_(*client.policy), request_(request), response_(response) {}
  /// Answers the request; a denial is in `verdict()` then.
  io::Task<Result<void>> run();
  const Verdict& verdict() const { return verdict_; }

 private:
  io::Task<Result<void>> decide();
  io::Task<Result<void>> read_body();
  io::Task<Result<void>> check_references();
  io::Task<Result<void>> check_networks();
  void check_binds();
  void deny(std::string_view rule, std::string message, int status = 403);
  io::Task<Result<void>> refuse();

  http::Request outgoing() const;
  io::Task<Result<void>> plain();
  io::Task<Result<void>> upload();
  io::Task<Result<void>> tunnel();
  io::Task<void> watch(io::Scope& scope);
  io::Task<void> relay_watched(http::Exchange& exchange, io::Scope& scope, Result<void>& outcome);
  io::Task<Result<void>> relay(http::Exchange& exchange);
  io::Task<Result<void>> relay_rewritten(http::Exchange& exchange);
  io::Task<Result<void>> relay_events(http::Exchange& exchange);
  io::Task<Result<std::string_view>> next_piece();

  Engine& engine_;
  const Client& client_;
  const Policy& policy_;
  http::ServerRequest& request_;
  http::ResponseWriter& response_;
  Versions versions_{};
  Verdict verdict_{};
  std::string front_{};  ///< of an archive, until it was judged
  bool judged_ = false;
};

}  // namespace berth::broker
