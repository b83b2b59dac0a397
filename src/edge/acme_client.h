// The thin shell around AcmeFlow: sends what it asks over HTTPS, waits, and has challenges shown.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "edge/acme_flow.h"
#include "http/client.h"

namespace berth::edge {

/// Connections to one CA. Replies of more than 256 KiB are refused. Thread: its loop's.
class AcmeClient {
 public:
  /// `ca_pem`: roots that the CA's own certificate is checked against; "": the system's.
  explicit AcmeClient(std::string ca_pem) : ca_pem_(std::move(ca_pem)) {}
  /// Sends an `ask`, on a fresh connection again when one broke; at most 30 s each.
  io::Task<Result<AcmeReply>> ask(const AcmeStep& step);
  /// The body of a plain GET with a status of 200, with how long it is good for. Code::unavailable for another status.
  io::Task<Result<AcmeReply>> get(std::string url);

 private:
  io::Task<Result<AcmeReply>> ask_once(const AcmeStep& step);
  Result<http::Pool*> pool_for(const std::string& url);

  std::string ca_pem_;
  std::map<std::string, std::unique_ptr<http::Pool>> pools_;  ///< by scheme and authority
};

/// Shows answers to the world, and takes them away.
class ChallengeBoard {
 public:
  virtual ~ChallengeBoard() = default;
  /// Returns when a CA would see all of them.
  virtual io::Task<Result<void>> show(std::vector<AcmeAnswer> answers) = 0;
  virtual io::Task<void> hide(std::vector<AcmeAnswer> answers) = 0;
};

/// Runs `flow` to its end: the PEM chain. `progressed` is called when its progress differs from before. The error's
/// `retry_after` is the CA's.
struct AcmeFailure {
  Error error;
  std::optional<std::chrono::seconds> retry_after{};
};
io::Task<std::expected<std::string, AcmeFailure>> run_flow(AcmeFlow& flow, AcmeClient& client, ChallengeBoard& board,
                                                           std::function<void(const AcmeProgress&)> progressed);

}  // namespace berth::edge
