#include "edge/acme_keeper.h"

#include <algorithm>

#include "edge/acme_dns.h"
#include "edge/certificate_request.h"
#include "io/folder_watch.h"

namespace berth::edge {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Time = std::chrono::sys_seconds;

Time wall_now() {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

bool covers_all(const Certificate& certificate, const WantedCertificate& wanted) {
  return std::ranges::all_of(wanted.hosts, [&](const std::string& host) {
    return std::ranges::any_of(certificate.hosts, [&](const std::string& each) { return covers(each, host); });
  });
}

bool is_gone(const AcmeFailure& failure) {
  return failure.error.code == Code::cancelled;
}

}  // namespace

/// Where the answers of one order are shown.
class AcmeKeeper::Board final : public ChallengeBoard {
 public:
  Board(AcmeKeeper& keeper, const Resolver& resolver) : keeper_(keeper), resolver_(resolver) {}

  io::Task<Result<void>> show(std::vector<AcmeAnswer> answers) override {
    if (resolver_.challenge == ChallengeType::dns) {
      for (const AcmeAnswer& answer : answers)
        CO_TRY(co_await change_record(resolver_.dns, answer, RecordChange::present));
      co_return co_await io::sleep_for(resolver_.dns.delay);
    }
    for (const AcmeAnswer& answer : answers) {
      Shown shown{.answer = answer, .certificate = {}};
      if (answer.type == ChallengeType::tls)
        shown.certificate = CO_TRY(make_challenge_certificate(answer.host, answer.key_authorization, wall_now()));
      keeper_.shown_.push_back(std::move(shown));
    }
    co_return co_await keeper_.show_challenges();
  }

  io::Task<void> hide(std::vector<AcmeAnswer> answers) override {
    if (resolver_.challenge == ChallengeType::dns) {
      for (const AcmeAnswer& answer : answers) {
        const auto gone =
            co_await io::shielded(change_record(resolver_.dns, answer, RecordChange::cleanup), seconds(20));
        if (!gone) keeper_.outlet_.say("cannot remove " + record_name(answer) + ": " + gone.error().message);
      }
      co_return;
    }
    std::erase_if(keeper_.shown_, [&](const Shown& each) { return std::ranges::count(answers, each.answer) > 0; });
    const auto shown = co_await keeper_.show_challenges();
    static_cast<void>(shown);  // an answer that stays a little longer harms nobody
  }

 private:
  AcmeKeeper& keeper_;
  const Resolver& resolver_;
};

io::Task<Result<void>> AcmeKeeper::show_challenges() {
  std::vector<HttpChallenge> http;
  std::vector<Certificate> tls;
  for (const Shown& each : shown_) {
    if (each.certificate)
      tls.push_back(*each.certificate);
    else
      http.push_back({.host = each.answer.host, .token = each.answer.token, .answer = each.answer.key_authorization});
  }
  co_return co_await outlet_.challenge(std::move(http), std::move(tls));
}

// What is wanted, what is there, what is due.

/// All that is stored, read once when it is first asked for.
class AcmeKeeper::Shelf {
 public:
  explicit Shelf(const AcmeStore& store) : store_(store) {}

  /// One of another list of hosts, or an imported one, is as good until it is to be renewed.
  std::optional<Certificate> covering(const WantedCertificate& wanted) {
    if (!read_) read();
    const auto found = std::ranges::find_if(certificates_, [&](const Certificate& each) {
      return covers_all(each, wanted) && wall_now() < each.not_after;
    });
    return found == certificates_.end() ? std::nullopt : std::optional(*found);
  }

 private:
  void read() {
    read_ = true;
    for (const std::string& id : store_.ids())
      if (auto certificate = store_.certificate(id)) certificates_.push_back(std::move(*certificate));
  }

  const AcmeStore& store_;
  bool read_ = false;
  std::vector<Certificate> certificates_;
};

AcmeKeeper::Entry AcmeKeeper::load(const WantedCertificate& wanted, Shelf& shelf) const {
  const std::string id = id_of(wanted);
  Entry entry{.wanted = wanted, .state = {.hosts = wanted.hosts, .resolver = wanted.resolver}, .certificate = {}};
  if (auto state = store_.state(id)) entry.state = std::move(*state);
  auto own = store_.certificate(id);
  entry.certificate = own ? std::optional(std::move(*own)) : shelf.covering(wanted);
  return entry;
}

/// What `berth import` brought counts for all that has no certificate, or one that is out of date.
void AcmeKeeper::take_imported() {
  if (!store_.take_import()) return;
  Shelf shelf(store_);
  bool differs = false;
  for (auto& [id, entry] : entries_) {
    if (entry.running || (entry.certificate && wall_now() < entry.certificate->not_after)) continue;
    Entry found = load(entry.wanted, shelf);
    if (!found.certificate) continue;
    entry = std::move(found);
    differs = true;
  }
  if (differs) outlet_.changed();
}

bool AcmeKeeper::want(const std::vector<WantedCertificate>& wanted) {
  std::set<std::string> ids;
  bool differs = false;
  Shelf shelf(store_);
  for (const WantedCertificate& each : wanted) {
    const std::string id = id_of(each);
    ids.insert(id);
    unwanted_.erase(id);
    if (entries_.contains(id)) continue;
    differs = entries_.emplace(id, load(each, shelf)).first->second.certificate.has_value() || differs;
  }
  for (auto at = entries_.begin(); at != entries_.end();) {
    const bool gone = !ids.contains(at->first);
    if (gone && at->second.running) unwanted_.insert(at->first);
    differs = differs || (gone && !at->second.running && at->second.certificate);
    at = gone && !at->second.running ? entries_.erase(at) : std::next(at);
  }
  changed_.set();
  return differs;
}

std::vector<Certificate> AcmeKeeper::certificates() const {
  std::vector<Certificate> out;
  for (const auto& [id, entry] : entries_)
    if (entry.certificate && wall_now() < entry.certificate->not_after) out.push_back(*entry.certificate);
  return out;
}

/// When something is to be done for it: an order, or a question for the CA's window.
Time AcmeKeeper::due(const std::string& id, const Entry& entry) const {
  if (entry.forced || !entry.certificate) return entry.forced ? Time() : entry.state.next_try;
  const Certificate& at_hand = *entry.certificate;
  const Time renewal = renewal_time(at_hand.not_before, at_hand.not_after, entry.state.window,
                                    spread(id + std::to_string(at_hand.not_after.time_since_epoch().count())));
  return std::min(std::max(std::min(renewal, at_hand.not_after), entry.state.next_try), entry.state.ask_window);
}

void AcmeKeeper::take_wishes() {
  for (const std::string& id : store_.take_wishes())
    if (const auto found = entries_.find(id); found != entries_.end()) found->second.forced = true;
}

void AcmeKeeper::start_due(io::Scope& scope) {
  const Time now = wall_now();
  for (auto& [id, entry] : entries_) {
    if (entry.running || due(id, entry) > now) continue;
    entry.running = true;
    scope.spawn(work(id));
  }
}

io::Duration AcmeKeeper::pause() const {
  const Time now = wall_now();
  Time next = now + minutes(10);  // the wall clock may jump
  for (const auto& [id, entry] : entries_)
    if (!entry.running) next = std::min(next, due(id, entry));
  return std::max<io::Duration>(next - now, seconds(1));
}

io::Task<void> AcmeKeeper::follow_wishes() {
  const io::Context context = co_await io::here();
  auto watch = io::FolderWatch::open(*context.loop);
  if (watch) {
    if (auto added = (*watch)->add(store_.wishes()); !added) watch = fail(added.error());
  }
  if (!watch) {
    outlet_.say("renewals are not taken from berth cert renew at once: " + watch.error().message);
    co_return;
  }
  changed_.set();  // for a wish that came before it watched
  while (co_await (*watch)->next()) changed_.set();
}

io::Task<Result<void>> AcmeKeeper::next_change() {
  co_return co_await changed_.wait();
}

io::Task<void> AcmeKeeper::run() {
  io::Scope scope(co_await io::here());
  const io::Context context = co_await io::here();
  scope.spawn(follow_wishes());
  while (!context.cancel->requested()) {
    changed_.reset();
    take_wishes();
    take_imported();
    start_due(scope);
    const auto waited = co_await io::within(pause(), next_change());
    static_cast<void>(waited);
  }
  scope.cancel();
  co_await scope.join();
}

// One certificate.

io::Task<void> AcmeKeeper::work(std::string id) {
  if (co_await permits_.acquire()) {
    Entry& entry = entries_.at(id);
    const bool good = entry.certificate && wall_now() < entry.certificate->not_after && !entry.forced;
    if (good && entry.state.ask_window <= wall_now()) co_await ask_for_window(id);
    Entry later = entry;
    later.state.ask_window = Time::max();
    if (due(id, later) <= wall_now()) co_await obtain(id);
    permits_.release();
  }
  entries_.at(id).running = false;
  if (unwanted_.erase(id) > 0) entries_.erase(id);
  changed_.set();
}

io::Task<void> AcmeKeeper::obtain(std::string id) {
  const auto chain = chain_of(resolvers_, entries_.at(id).wanted.resolver);
  AcmeFailure failure{.error = {Code::invalid, "its certificate resolver is not configured"}};
  for (const Resolver* resolver : chain) {
    auto ordered = co_await order(id, *resolver);
    if (ordered) co_return note_success(id, std::move(*ordered), *resolver);
    if (is_gone(ordered.error())) co_return;
    const std::string before = resolver == chain.front() ? "" : failure.error.message + "; ";
    failure = std::move(ordered.error());
    failure.error.message = before + resolver->name + ": " + failure.error.message;
  }
  note_failure(id, std::move(failure));
}

Result<AcmeFlow> AcmeKeeper::flow_for(const std::string& id, const std::string& own_key, const Resolver& resolver) {
  const Entry& entry = entries_.at(id);
  const AcmeAccount account = TRY(store_.account(resolver));
  const AcmeKey key = TRY(AcmeKey::load(account.key));
  AcmeWish wish{.directory = resolver.directory,
                .email = resolver.email,
                .binding = resolver.binding,
                .hosts = entry.wanted.hosts,
                .challenge = resolver.challenge,
                .csr = TRY(make_request(own_key, entry.wanted.hosts))};
  if (entry.certificate && entry.state.issuer == resolver.name)
    wish.replaces = renewal_id(entry.certificate->chain).value_or("");
  const auto known = entry.state.orders.find(resolver.name);
  return AcmeFlow(std::move(wish),
                  {.jwk = key.jwk(),
                   .thumbprint = key.thumbprint(),
                   .sign = [key](std::string_view bytes) { return key.sign(bytes); },
                   .algorithm = std::string(key.algorithm())},
                  {.account = account.url, .order = known == entry.state.orders.end() ? "" : known->second});
}

AcmeKeeper::Order AcmeKeeper::order(std::string id, const Resolver& resolver) {
  Result<std::string> key;  // an RSA key takes its time
  co_await io::on_pool([&] { key = store_.order_key(id, resolver.key_type); });
  if (!key) co_return std::unexpected(AcmeFailure{key.error()});
  auto flow = flow_for(id, *key, resolver);
  if (!flow) co_return std::unexpected(AcmeFailure{flow.error()});
  AcmeClient client(resolver.ca_pem);
  Board board(*this, resolver);
  auto chain = co_await run_flow(*flow, client, board,
                                 [&](const AcmeProgress& progress) { note_progress(id, resolver, progress); });
  if (!chain) co_return std::unexpected(std::move(chain).error());
  auto certificate = accept(id, *chain, *key);
  if (certificate) co_return std::move(*certificate);
  store_.forget_order_key(id);
  co_return std::unexpected(AcmeFailure{certificate.error()});
}

/// A chain is in use only when it is what was ordered.
Result<Certificate> AcmeKeeper::accept(const std::string& id, const std::string& chain, const std::string& key) {
  const Entry& entry = entries_.at(id);
  auto certificate = load_certificate(chain, key);
  if (!certificate) return fail(std::move(certificate.error()).within("the CA's certificate"));
  if (!covers_all(*certificate, entry.wanted))
    return fail(Code::internal, "the CA's certificate does not name all hosts that were ordered");
  if (certificate->not_after <= wall_now()) return fail(Code::internal, "the CA's certificate is out of date");
  return certificate;
}

void AcmeKeeper::save(const std::string& id) {
  const auto saved = store_.save(id, entries_.at(id).state);
  if (!saved) outlet_.say("certificate state is not kept: " + saved.error().message);
}

void AcmeKeeper::note_progress(const std::string& id, const Resolver& resolver, const AcmeProgress& progress) {
  AcmeState& state = entries_.at(id).state;
  const auto saved = store_.save_account(resolver, progress.account);
  if (!saved) outlet_.say("the CA's account is not kept: " + saved.error().message);
  if (progress.order.empty())
    state.orders.erase(resolver.name);
  else
    state.orders[resolver.name] = progress.order;
  save(id);
}

void AcmeKeeper::note_success(const std::string& id, Certificate certificate, const Resolver& resolver) {
  Entry& entry = entries_.at(id);
  // The certificate first: should we be killed before the state, it counts all the same.
  if (const auto saved = store_.save(id, certificate); !saved)
    outlet_.say("a certificate is not kept: " + saved.error().message);
  else
    store_.forget_order_key(id);
  entry.state = {.hosts = entry.wanted.hosts,
                 .resolver = entry.wanted.resolver,
                 .issuer = resolver.name,
                 .orders = {},
                 .next_try = wall_now() + minutes(1)};
  entry.certificate = std::move(certificate);
  entry.forced = false;
  save(id);
  outlet_.say("certificate for " + entry.wanted.hosts.front() + " issued by " + resolver.name);
  outlet_.changed();
}

void AcmeKeeper::note_failure(const std::string& id, AcmeFailure failure) {
  Entry& entry = entries_.at(id);
  AcmeState& state = entry.state;
  entry.forced = false;
  ++state.failures;
  const seconds wait = std::max(backoff(state.failures), failure.retry_after.value_or(seconds(0)));
  state.next_try = wall_now() + wait;
  state.error = failure.error.message;
  save(id);
  outlet_.say("no certificate for " + entry.wanted.hosts.front() + ": " + state.error + "; next try in " +
              std::to_string(wait.count()) + " s");
}

// Renewal information.

io::Task<Result<AcmeReply>> AcmeKeeper::renewal_reply(std::string chain, const Resolver& resolver) {
  const std::string id = CO_TRY(renewal_id(chain));
  AcmeClient client(resolver.ca_pem);
  const auto text = CO_TRY(co_await client.get(resolver.directory));
  const auto directory = CO_TRY(parse_directory(resolver.directory, text.body));
  if (directory.renewal_info.empty()) co_return fail(Code::not_found, "the CA knows no renewal information");
  co_return co_await client.get(directory.renewal_info + "/" + id);
}

io::Task<void> AcmeKeeper::ask_for_window(std::string id) {
  const auto resolver = std::ranges::find(resolvers_, entries_.at(id).state.issuer, &Resolver::name);
  Result<AcmeReply> reply = fail(Code::not_found, "the issuer is not configured");
  if (resolver != resolvers_.end()) reply = co_await renewal_reply(entries_.at(id).certificate->chain, *resolver);
  if (!reply && reply.error().code == Code::cancelled) co_return;
  AcmeState& state = entries_.at(id).state;
  const auto window = reply ? parse_renewal_info(reply->body) : Result<RenewalWindow>(fail(reply.error()));
  if (window) state.window = *window;
  const bool unknown = !reply && reply.error().code == Code::not_found;
  const seconds asked = reply ? reply->retry_after.value_or(hours(6)) : seconds(hours(unknown ? 24 : 6));
  state.ask_window = wall_now() + std::clamp<seconds>(asked, minutes(1), hours(24));
  save(id);
}

}  // namespace berth::edge
