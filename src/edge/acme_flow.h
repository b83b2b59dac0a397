// One certificate's way through ACME (RFC 8555) as a state machine: what to do next, given what was answered. Pure:
// time, network and challenges are its driver's (edge/acme_client.h).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "edge/acme_jws.h"
#include "edge/acme_message.h"

namespace berth::edge {

/// What is wanted of a CA.
struct AcmeWish {
  std::string directory;  ///< URL
  std::string email{};    ///< "": no contact
  AccountBinding binding{};
  std::vector<std::string> hosts;  ///< names and "*.parent"
  ChallengeType challenge = ChallengeType::http;
  std::string csr;         ///< DER, for just these hosts
  std::string replaces{};  ///< renewal_id of the certificate that it renews, or ""
};

/// URLs at the CA. Kept between runs, so that another one goes on where this one was killed.
struct AcmeProgress {
  std::string account{}, order{};
  friend bool operator==(const AcmeProgress&, const AcmeProgress&) = default;
};

/// What proves control over `host`.
struct AcmeAnswer {
  ChallengeType type = ChallengeType::http;
  std::string host{};               ///< without "*."
  std::string token{};              ///< [A-Za-z0-9_-]+
  std::string key_authorization{};  ///< the body of HTTP-01; its digest is in TLS-ALPN-01 and DNS-01
  friend bool operator==(const AcmeAnswer&, const AcmeAnswer&) = default;
};
/// The TXT value of DNS-01 (RFC 8555 8.4).
std::string dns_value(const AcmeAnswer& answer);

struct AcmeReply {
  int status = 0;
  std::string body{}, nonce{}, location{};
  std::optional<std::chrono::seconds> retry_after{};
};

struct AcmeStep {
  enum class Kind {
    ask,      ///< send `method` `url` with `body` (application/jose+json unless empty), then take()
    present,  ///< make all of `answers` visible to the CA, then go_on()
    wait,     ///< for `pause`, then go_on()
    done,     ///< `chain` is the PEM chain
    failed,   ///< `error`; not before `retry_after` again where there is one
  };
  Kind kind = Kind::failed;
  std::string method{}, url{}, body{};
  std::vector<AcmeAnswer> answers{};
  std::chrono::seconds pause{};
  std::string chain{};
  Error error{};
  std::optional<std::chrono::seconds> retry_after{};
};

/// Ends always: at most 400 requests, 60 polls of a resource, 15 minutes of waiting, 20 bad nonces in a row.
/// Thread: one at a time.
class AcmeFlow {
 public:
  AcmeFlow(AcmeWish wish, AcmeSigner signer, AcmeProgress progress = {});

  const AcmeStep& step() const { return step_; }
  /// The answer to an `ask`.
  void take(const AcmeReply& reply);
  /// After `present` and `wait`.
  void go_on();
  /// The step could not be done: ends as failed.
  void give_up(Error error);
  const AcmeProgress& progress() const { return progress_; }

 private:
  enum class Phase {
    directory,
    nonce,
    account,
    new_order,
    order,          ///< reads one that is known
    authorization,  ///< reads them one after the other
    present,
    respond,
    validation,  ///< polls them one after the other
    finalize,
    issuing,  ///< polls the order
    download,
  };
  struct Pending {
    std::string url;
    AcmeAuthorization state;
  };

  void enter(Phase phase);
  void ask_plain(std::string method, const std::string& url);
  void ask_signed(const std::string& url, std::string payload);
  void sign_and_ask();
  void ask_account();
  void ask_order();
  void ask_certificate();
  void present();
  void wait(std::optional<std::chrono::seconds> asked);
  /// Ends; the next run begins with a new order.
  void fail_for_good(std::string message);
  /// Ends; the next run goes on with this order.
  void fail_for_now(Error error, std::optional<std::chrono::seconds> retry_after = {});

  void refuse(const AcmeReply& reply);
  bool recover(const AcmeProblem& problem, const AcmeReply& reply);
  void accept(const AcmeReply& reply);
  void accept_directory(const AcmeReply& reply);
  void accept_account(const AcmeReply& reply);
  void accept_order(const AcmeReply& reply);
  void accept_authorization(const AcmeReply& reply);
  void accept_validation(const AcmeReply& reply);
  void accept_chain(const AcmeReply& reply);
  void continue_order(std::optional<std::chrono::seconds> retry_after);
  /// The next authorization, from `at_` on, that is not valid, in `phase`; without one what follows.
  void next_pending(Phase phase);
  bool is_wanted(const AcmeAuthorization& authorization);

  AcmeWish wish_;
  AcmeSigner signer_;
  AcmeProgress progress_;
  AcmeStep step_;
  Phase phase_ = Phase::directory;
  Phase resume_ = Phase::directory;  ///< where a nonce is missing
  AcmeDirectory directory_;
  std::string nonce_;
  std::string url_, payload_;  ///< of the signed request under way, to sign it anew
  AcmeOrderState order_;
  std::vector<Pending> authorizations_;
  std::size_t at_ = 0;  ///< in authorizations_
  int requests_ = 0, polls_ = 0, bad_nonces_ = 0, server_errors_ = 0;
  std::chrono::seconds waited_{};
  bool account_is_new_ = false, order_is_new_ = false;  ///< made in this run: a CA that forgot it is not asked again
  bool validated_ = false, finalized_ = false;
};

}  // namespace berth::edge
