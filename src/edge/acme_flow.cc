#include "edge/acme_flow.h"

#include <algorithm>

#include "base/base64.h"
#include "base/hash.h"
#include "base/json.h"

namespace berth::edge {
namespace {

using std::chrono::seconds;
using Kind = AcmeStep::Kind;

constexpr int kMostRequests = 400, kMostPolls = 60, kMostBadNonces = 20, kMostServerErrors = 4;
constexpr seconds kMostWaiting = std::chrono::minutes(15), kMostPause{60};
constexpr std::size_t kMostChain = 128u << 10, kMostNonce = 256;

std::string host_of(std::string_view name) {
  return std::string(name.starts_with("*.") ? name.substr(2) : name);
}

}  // namespace

std::string dns_value(const AcmeAnswer& answer) {
  return encode_base64url(sha256(answer.key_authorization));
}

AcmeFlow::AcmeFlow(AcmeWish wish, AcmeSigner signer, AcmeProgress progress)
    : wish_(std::move(wish)), signer_(std::move(signer)), progress_(std::move(progress)) {
  enter(Phase::directory);
}

void AcmeFlow::enter(Phase phase) {
  phase_ = phase;
  switch (phase) {
    case Phase::directory:
      return ask_plain("GET", wish_.directory);
    case Phase::nonce:
      return ask_plain("HEAD", directory_.new_nonce);
    case Phase::account:
      return ask_account();
    case Phase::new_order:
      return ask_order();
    case Phase::order:
    case Phase::issuing:
      return ask_signed(progress_.order, "");
    case Phase::authorization:
    case Phase::validation:
      return ask_signed(authorizations_[at_].url, "");
    case Phase::present:
      return present();
    case Phase::respond:
      return ask_signed(authorizations_[at_].state.challenge_url, "{}");
    case Phase::finalize:
      return ask_certificate();
    case Phase::download:
      return ask_signed(order_.certificate, "");
  }
}

// Asking.

void AcmeFlow::ask_plain(std::string method, const std::string& url) {
  if (++requests_ > kMostRequests) return fail_for_good("the CA led through more than 400 requests");
  step_ = {.kind = Kind::ask, .method = std::move(method), .url = url};
}

void AcmeFlow::ask_signed(const std::string& url, std::string payload) {
  if (!is_url_like(url, wish_.directory))
    return fail_for_good("the CA named \"" + printable(url) + "\", which is no URL like that of its directory");
  url_ = url;
  payload_ = std::move(payload);
  sign_and_ask();
}

void AcmeFlow::sign_and_ask() {
  if (nonce_.empty()) {
    resume_ = phase_;
    return enter(Phase::nonce);
  }
  const bool by_key = phase_ == Phase::account;
  const auto signed_text = make_jws(
      signer_, {.url = url_, .nonce = nonce_, .account = by_key ? std::string_view() : progress_.account}, payload_);
  nonce_.clear();
  if (!signed_text) return fail_for_now(signed_text.error());
  ask_plain("POST", url_);
  if (step_.kind == Kind::ask) step_.body = *signed_text;
}

void AcmeFlow::ask_account() {
  Json payload = Json::object({{"termsOfServiceAgreed", true}});
  if (!wish_.email.empty()) payload.set("contact", Json::array({"mailto:" + wish_.email}));
  if (!wish_.binding.kid.empty()) {
    const auto binding = make_binding(wish_.binding, signer_.jwk, directory_.new_account);
    if (!binding) return fail_for_good(binding.error().message);
    payload.set("externalAccountBinding", parse_json(*binding).value_or(Json()));
  }
  ask_signed(directory_.new_account, payload.dump());
}

void AcmeFlow::ask_order() {
  Json names = Json::array();
  for (const std::string& host : wish_.hosts) names.push(Json::object({{"type", "dns"}, {"value", host}}));
  Json payload = Json::object({{"identifiers", std::move(names)}});
  // A CA without renewal information may refuse a member that it does not know.
  if (!wish_.replaces.empty() && !directory_.renewal_info.empty()) payload.set("replaces", wish_.replaces);
  order_is_new_ = true;
  ask_signed(directory_.new_order, payload.dump());
}

void AcmeFlow::ask_certificate() {
  finalized_ = true;
  ask_signed(order_.finalize, Json::object({{"csr", encode_base64url(wish_.csr)}}).dump());
}

void AcmeFlow::present() {
  step_ = {.kind = Kind::present};
  for (const Pending& each : authorizations_) {
    if (each.state.status == AcmeStatus::valid) continue;
    step_.answers.push_back({.type = wish_.challenge,
                             .host = host_of(each.state.host),
                             .token = each.state.token,
                             .key_authorization = each.state.token + "." + signer_.thumbprint});
  }
}

void AcmeFlow::wait(std::optional<seconds> asked) {
  const seconds own(std::min(1 + polls_ / 2, 15));
  const seconds pause = std::clamp(asked.value_or(own), seconds(1), kMostPause);
  waited_ += pause;
  if (++polls_ > kMostPolls || waited_ > kMostWaiting)
    return fail_for_now(
        {Code::timeout, "the CA did not come to an end within " + std::to_string(waited_.count()) + " s of waiting"});
  step_ = {.kind = Kind::wait, .pause = pause};
}

void AcmeFlow::go_on() {
  if (step_.kind == Kind::wait) return enter(phase_);
  if (step_.kind != Kind::present) return;
  at_ = 0;
  next_pending(Phase::respond);
}

void AcmeFlow::fail_for_good(std::string message) {
  progress_.order.clear();
  step_ = {.kind = Kind::failed, .error = {Code::denied, std::move(message)}};
}
void AcmeFlow::fail_for_now(Error error, std::optional<seconds> retry_after) {
  step_ = {.kind = Kind::failed, .error = std::move(error), .retry_after = retry_after};
}
void AcmeFlow::give_up(Error error) {
  fail_for_now(std::move(error));
}

// Being answered.

void AcmeFlow::take(const AcmeReply& reply) {
  if (step_.kind != Kind::ask) return;
  if (reply.nonce.size() <= kMostNonce) nonce_ = printable(reply.nonce);
  if (reply.status >= 200 && reply.status < 300) {
    if (phase_ != Phase::nonce) bad_nonces_ = 0;
    server_errors_ = 0;
    return accept(reply);
  }
  refuse(reply);
}

void AcmeFlow::refuse(const AcmeReply& reply) {
  const AcmeProblem problem = parse_problem(reply.status, reply.body);
  if (recover(problem, reply)) return;
  const std::string what = problem.detail + (problem.type.empty() ? "" : " (" + problem.type + ")");
  const bool later = reply.status >= 500 || reply.status == 429 || problem.type == "rateLimited";
  if (later) return fail_for_now({Code::unavailable, "the CA refused for now: " + what}, reply.retry_after);
  fail_for_good("the CA refused: " + what);
}

/// Whether there is another way to go on.
bool AcmeFlow::recover(const AcmeProblem& problem, const AcmeReply& reply) {
  if (problem.type == "badNonce" && ++bad_nonces_ <= kMostBadNonces) {
    sign_and_ask();
    return true;
  }
  if (reply.status >= 500 && ++server_errors_ <= kMostServerErrors) {
    // Whether a lost finalization had an effect, only the order tells.
    if (phase_ == Phase::finalize) phase_ = Phase::order;
    wait(reply.retry_after);
    return true;
  }
  if (problem.type == "accountDoesNotExist" && !progress_.account.empty() && !account_is_new_) {
    progress_ = {};
    enter(Phase::account);
    return true;
  }
  if (phase_ == Phase::order && !order_is_new_ && reply.status < 500 && reply.status != 429) {
    progress_.order.clear();
    enter(Phase::new_order);
    return true;
  }
  if (phase_ == Phase::new_order && problem.type == "alreadyReplaced" && !wish_.replaces.empty()) {
    wish_.replaces.clear();
    enter(Phase::new_order);
    return true;
  }
  return false;
}

void AcmeFlow::accept(const AcmeReply& reply) {
  switch (phase_) {
    case Phase::directory:
      return accept_directory(reply);
    case Phase::nonce:
      if (nonce_.empty()) return fail_for_now({Code::internal, "the CA gave no nonce"});
      phase_ = resume_;
      return sign_and_ask();
    case Phase::account:
      return accept_account(reply);
    case Phase::new_order:
    case Phase::order:
    case Phase::finalize:
    case Phase::issuing:
      return accept_order(reply);
    case Phase::authorization:
      return accept_authorization(reply);
    case Phase::respond:
      ++at_;
      return next_pending(Phase::respond);
    case Phase::validation:
      return accept_validation(reply);
    case Phase::download:
      return accept_chain(reply);
    case Phase::present:
      return;
  }
}

void AcmeFlow::accept_directory(const AcmeReply& reply) {
  auto directory = parse_directory(wish_.directory, reply.body);
  if (!directory) return fail_for_now(directory.error());
  directory_ = std::move(*directory);
  if (directory_.binding_required && wish_.binding.kid.empty())
    return fail_for_good("the CA wants an external account; set eab.kid and eab.hmacEncoded as it gave them");
  if (progress_.account.empty()) return enter(Phase::account);
  enter(progress_.order.empty() ? Phase::new_order : Phase::order);
}

void AcmeFlow::accept_account(const AcmeReply& reply) {
  if (!is_url_like(reply.location, wish_.directory)) return fail_for_good("the CA gave no URL for the account");
  progress_.account = reply.location;
  account_is_new_ = true;
  enter(progress_.order.empty() ? Phase::new_order : Phase::order);
}

void AcmeFlow::accept_order(const AcmeReply& reply) {
  auto order = parse_order(reply.body);
  if (!order) return fail_for_good(order.error().message);
  if (phase_ == Phase::new_order) {
    if (!is_url_like(reply.location, wish_.directory)) return fail_for_good("the CA gave no URL for the order");
    progress_.order = reply.location;
  }
  order_ = std::move(*order);
  continue_order(reply.retry_after);
}

void AcmeFlow::continue_order(std::optional<seconds> retry_after) {
  const bool poll = order_.status == AcmeStatus::processing || (order_.status == AcmeStatus::pending && validated_) ||
                    (order_.status == AcmeStatus::ready && finalized_);
  if (poll) {
    phase_ = Phase::issuing;
    return wait(retry_after);
  }
  switch (order_.status) {
    case AcmeStatus::pending:
      authorizations_.clear();
      for (const std::string& url : order_.authorizations) authorizations_.push_back({.url = url, .state = {}});
      at_ = 0;
      if (authorizations_.empty()) return fail_for_good("the CA's order names no authorization");
      return enter(Phase::authorization);
    case AcmeStatus::ready:
      polls_ = 0;
      return enter(Phase::finalize);
    case AcmeStatus::valid:
      return enter(Phase::download);
    case AcmeStatus::processing:
    case AcmeStatus::invalid:
      break;
  }
  if (!order_is_new_) {
    progress_.order.clear();
    return enter(Phase::new_order);
  }
  fail_for_good("the CA gave up the order: " + (order_.error.empty() ? "it gave no reason" : order_.error));
}

bool AcmeFlow::is_wanted(const AcmeAuthorization& authorization) {
  return std::ranges::count(wish_.hosts, authorization.host) > 0;
}

void AcmeFlow::accept_authorization(const AcmeReply& reply) {
  auto state = parse_authorization(reply.body, wish_.challenge);
  if (!state) return fail_for_good(state.error().message);
  if (!is_wanted(*state))
    return fail_for_good("the CA wants proof for \"" + printable(state->host) + "\", which was not ordered");
  if (state->status == AcmeStatus::invalid)
    return fail_for_good("the CA could not validate " + state->host + ": " + state->error);
  if (state->status != AcmeStatus::valid && state->challenge_url.empty())
    return fail_for_good("the CA does not offer " + std::string(to_text(wish_.challenge)) + " for " + state->host +
                         ", only " + state->offered);
  authorizations_[at_].state = std::move(*state);
  if (++at_ < authorizations_.size()) return enter(Phase::authorization);
  const auto is_valid = [](const Pending& each) { return each.state.status == AcmeStatus::valid; };
  validated_ = std::ranges::all_of(authorizations_, is_valid);
  enter(validated_ ? Phase::order : Phase::present);
}

void AcmeFlow::next_pending(Phase phase) {
  while (at_ < authorizations_.size() && authorizations_[at_].state.status == AcmeStatus::valid) ++at_;
  polls_ = 0;
  if (at_ < authorizations_.size()) return enter(phase);
  at_ = 0;
  if (phase == Phase::respond) return next_pending(Phase::validation);
  validated_ = true;
  enter(Phase::order);
}

void AcmeFlow::accept_validation(const AcmeReply& reply) {
  const auto state = parse_authorization(reply.body, wish_.challenge);
  if (!state) return fail_for_good(state.error().message);
  const std::string& host = authorizations_[at_].state.host;
  if (state->status == AcmeStatus::invalid)
    return fail_for_good("the CA could not validate " + host + " by " + std::string(to_text(wish_.challenge)) + ": " +
                         (state->error.empty() ? "it gave no reason" : state->error));
  if (state->status != AcmeStatus::valid) return wait(reply.retry_after);
  authorizations_[at_].state.status = AcmeStatus::valid;
  next_pending(Phase::validation);
}

void AcmeFlow::accept_chain(const AcmeReply& reply) {
  if (reply.body.size() > kMostChain || !reply.body.contains("-----BEGIN CERTIFICATE-----"))
    return fail_for_good("what the CA gave as certificate is none");
  progress_.order.clear();
  step_ = {.kind = Kind::done, .chain = reply.body};
}

}  // namespace berth::edge
