// What is kept of ACME between runs, as files: account keys, certificates, and how far each order came.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "edge/acme_flow.h"
#include "edge/acme_policy.h"
#include "edge/snapshot.h"

namespace berth::edge {

/// The state of one wanted certificate. Times of 0 are in the past: due now.
struct AcmeState {
  std::vector<std::string> hosts;
  std::string resolver;                         ///< that is wanted
  std::string issuer{};                         ///< that signed the certificate at hand
  std::map<std::string, std::string> orders{};  ///< resolver -> URL of the order under way
  int failures = 0;                             ///< in a row
  std::chrono::sys_seconds next_try{};          ///< after a failure
  std::string error{};                          ///< the last one; "": none
  std::optional<RenewalWindow> window{};        ///< the CA's, of the certificate at hand
  std::chrono::sys_seconds ask_window{};        ///< when to ask for it again
  friend bool operator==(const AcmeState&, const AcmeState&) = default;
};
std::string encode_state(const AcmeState& state);
/// Code::invalid for what is no state.
Result<AcmeState> decode_state(std::string_view text);

/// An account at one CA.
struct AcmeAccount {
  std::string key;  ///< PEM, secret
  std::string url;  ///< "": not registered yet
};

/// Thread: one at a time. Files below a folder of mode 0700, each 0600, written as a temporary file, fsynced and
/// renamed: ID.json the state, ID.pem certificate and key in one, ID.key the key of the order under way,
/// account-NAME.key and .json, renew/ID a wish of `berth cert renew`.
class AcmeStore {
 public:
  static Result<AcmeStore> open(std::string folder);
  const std::string& folder() const { return folder_; }
  std::string wishes() const { return folder_ + "/renew"; }

  /// Ids with a state, sorted.
  std::vector<std::string> ids() const;
  /// Code::not_found without one; a broken file is as none.
  Result<AcmeState> state(const std::string& id) const;
  Result<void> save(const std::string& id, const AcmeState& state) const;
  Result<Certificate> certificate(const std::string& id) const;
  Result<void> save(const std::string& id, const Certificate& certificate) const;
  /// The key of an order under way, made when there is none. After success it is forgotten.
  Result<std::string> order_key(const std::string& id, KeyType type) const;
  void forget_order_key(const std::string& id) const;

  /// The account of a resolver at its CA, with a new key when there is none.
  Result<AcmeAccount> account(const Resolver& resolver) const;
  Result<void> save_account(const Resolver& resolver, const std::string& url) const;
  /// Keeps an account that was made elsewhere. Code::conflict when there is another one already.
  Result<void> import_account(const Resolver& resolver, const AcmeAccount& account) const;

  /// Asks core to renew now; and what core finds, each once.
  Result<void> wish_renewal(const std::string& id) const;
  std::vector<std::string> take_wishes() const;
  /// Tells core that certificates were put here; true once after that.
  Result<void> announce_import() const;
  bool take_import() const;

 private:
  explicit AcmeStore(std::string folder) : folder_(std::move(folder)) {}
  std::string path(const std::string& id, std::string_view ending) const;
  std::string account_path(const Resolver& resolver) const;
  std::string folder_;
};

}  // namespace berth::edge
