// Keeps the certificates that routes want of CAs: orders, renews, tries again, and never gives up a good one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "edge/acme_client.h"
#include "edge/acme_store.h"

namespace berth::edge {

/// What the keeper needs of core.
struct KeeperOutlet {
  /// Returns when the edge answers all of these challenges, and no other.
  std::function<io::Task<Result<void>>(std::vector<HttpChallenge>, std::vector<Certificate>)> challenge;
  std::function<void()> changed;                     ///< certificates() differs from before
  std::function<void(const std::string& line)> say;  ///< for the log
};

/// Level driven: want() says what is wanted, run() looks what is due. Up to four orders at a time. Whatever is killed
/// in the middle goes on with its order. Thread: its loop's. Time is the wall clock's.
class AcmeKeeper {
 public:
  AcmeKeeper(AcmeStore store, std::vector<Resolver> resolvers, KeeperOutlet outlet)
      : store_(std::move(store)), resolvers_(std::move(resolvers)), outlet_(std::move(outlet)) {}

  const std::vector<Resolver>& resolvers() const { return resolvers_; }
  /// All that is wanted from now on; whether certificates() differs for it.
  bool want(const std::vector<WantedCertificate>& wanted);
  /// The valid certificates at hand for what is wanted.
  std::vector<Certificate> certificates() const;
  /// Until cancelled.
  io::Task<void> run();

 private:
  struct Entry {
    WantedCertificate wanted;
    AcmeState state;
    std::optional<Certificate> certificate;
    bool running = false;
    bool forced = false;
  };
  struct Shown {
    AcmeAnswer answer;
    std::optional<Certificate> certificate;  ///< for TLS-ALPN-01
  };
  class Board;
  class Shelf;
  using Order = io::Task<std::expected<Certificate, AcmeFailure>>;

  Entry load(const WantedCertificate& wanted, Shelf& shelf) const;
  std::chrono::sys_seconds due(const std::string& id, const Entry& entry) const;
  void take_wishes();
  void take_imported();
  void start_due(io::Scope& scope);
  io::Duration pause() const;
  io::Task<Result<void>> next_change();
  io::Task<void> follow_wishes();
  io::Task<void> work(std::string id);
  io::Task<void> obtain(std::string id);
  Order order(std::string id, const Resolver& resolver);
  Result<AcmeFlow> flow_for(const std::string& id, const std::string& own_key, const Resolver& resolver);
  Result<Certificate> accept(const std::string& id, const std::string& chain, const std::string& key);
  void note_progress(const std::string& id, const Resolver& resolver, const AcmeProgress& progress);
  void note_success(const std::string& id, Certificate certificate, const Resolver& resolver);
  void note_failure(const std::string& id, AcmeFailure failure);
  io::Task<void> ask_for_window(std::string id);
  io::Task<Result<AcmeReply>> renewal_reply(std::string chain, const Resolver& resolver);
  io::Task<Result<void>> show_challenges();
  void save(const std::string& id);

  AcmeStore store_;
  std::vector<Resolver> resolvers_;
  KeeperOutlet outlet_;
  std::map<std::string, Entry> entries_;  ///< one that runs stays until it ended
  std::set<std::string> unwanted_;        ///< among them
  std::vector<Shown> shown_;
  io::Semaphore permits_{4};
  io::Event changed_;
};

}  // namespace berth::edge
