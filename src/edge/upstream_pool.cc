#include "edge/upstream_pool.h"

#include <algorithm>

#include "edge/cgi_upstream.h"
#include "edge/h2_upstream.h"
#include "edge/ready_transport.h"
#include "io/socket.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostKept = 128;  // per address and loop
constexpr auto kLongIdle = std::chrono::seconds(60), kFailing = std::chrono::seconds(2);
constexpr auto kPing = std::chrono::seconds(15);
constexpr auto kJustCut = std::chrono::seconds(1);  // exchanges of that age are known to have begun before

/// Whether nothing at all happened on a connection that waits for its next request.
bool is_quiet(UpstreamLink& wire) {
  if (!wire.unread().empty()) return false;
  if (!wire.stream().ready_now(io::Direction::read)) return true;
  char byte;
  return wire.stream().try_read(std::span(&byte, 1)).state == io::Attempt::blocked;
}

std::size_t most_kept(const Upstream& upstream) {
  const std::size_t most = upstream.ready ? upstream.ready->options().max_idle : 0;
  return most > 0 ? std::min(most, kMostKept) : kMostKept;
}

bool is_idle(const std::shared_ptr<H2Trunk>& trunk) {
  return trunk->is_idle();
}

std::size_t count_idle(const std::vector<std::shared_ptr<H2Trunk>>& trunks) {
  return static_cast<std::size_t>(std::ranges::count_if(trunks, is_idle));
}

/// Of a connection that is shared.
H2TrunkOptions trunk_options(const Upstream& upstream, std::shared_ptr<io::Event> changed) {
  H2TrunkOptions out{.scheme = upstream.tls ? "https" : "http", .idle = kLongIdle, .changed = std::move(changed)};
  if (!upstream.ready) return out;
  const Transport& options = upstream.ready->options();
  if (options.idle.count() > 0) out.idle = std::min<io::Duration>(out.idle, options.idle);
  out.read_idle = options.read_idle;
  out.ping = options.ping.count() > 0 ? options.ping : kPing;
  return out;
}

}  // namespace

UpstreamPool::UpstreamPool(io::Loop& loop, Left left)
    : loop_(loop), left_(std::move(left)), trunks_({&loop, &cancel_}) {}

UpstreamPool::~UpstreamPool() = default;

io::Task<void> UpstreamPool::close() {
  trunks_.cancel();
  co_await trunks_.join();
}

/// Exchanges that run go on; new ones get other connections.
void UpstreamPool::drop(Peer& peer) {
  peer.kept.clear();
  for (const auto& each : peer.trunks) each->retire();
  peer.trunks.clear();
}

std::string_view UpstreamPool::key_of(const Upstream& upstream) {
  key_.clear();
  append_upstream_key(key_, upstream);
  return key_;
}

bool UpstreamPool::is_of(const Peer& peer, const Upstream& upstream) {
  return peer.port == upstream.port && peer.tls == upstream.tls && peer.h2 == upstream.h2 &&
         peer.speaks == upstream.speaks && peer.ready == upstream.ready && peer.host == upstream.host &&
         peer.transport == upstream.transport;
}

UpstreamPool::Use::Entry* UpstreamPool::look_up(const Upstream& upstream) {
  auto& known = known_[reinterpret_cast<std::uintptr_t>(&upstream) / sizeof(Upstream) % known_.size()];
  if (known && is_of(known->second, upstream)) return known;
  const auto found = peers_.find(key_of(upstream));
  if (found == peers_.end()) return nullptr;
  known = &*found;
  // The transport is another one by now: what it demands of servers counts for connections that were made before, too.
  if (std::exchange(known->second.ready, upstream.ready) != upstream.ready) drop(known->second);
  return known;
}

UpstreamPool::Peer* UpstreamPool::find(const Upstream& upstream) {
  Use::Entry* found = look_up(upstream);
  return found ? &found->second : nullptr;
}

UpstreamPool::Use::Entry& UpstreamPool::entry(const Upstream& upstream) {
  if (Use::Entry* found = look_up(upstream)) return *found;
  Use::Entry& made = *peers_.try_emplace(key_).first;
  made.second.host = upstream.host;
  made.second.port = upstream.port;
  made.second.tls = upstream.tls;
  made.second.h2 = upstream.h2;
  made.second.speaks = upstream.speaks;
  made.second.transport = upstream.transport;
  made.second.ready = upstream.ready;
  made.second.changed = std::make_shared<io::Event>();
  return made;
}

UpstreamPool::Use UpstreamPool::begin(const Upstream& upstream) {
  Use::Entry& peer = entry(upstream);
  ++peer.second.exchanges;
  return {*this, peer};
}

void UpstreamPool::Use::lasts(io::Cancel& cancel) {
  if (!peer_ || lasting_) return;
  lasting_ = &cancel;
  peer_->second.lasting.push_back(&cancel);
  if (pool_->loop_.now() - peer_->second.cut_at < kJustCut) cancel.request(Code::unavailable);
}

std::size_t UpstreamPool::lasting(std::string_view key) const {
  const auto found = peers_.find(key);
  return found == peers_.end() ? 0 : found->second.lasting.size();
}

std::size_t UpstreamPool::exchanges(std::string_view key) const {
  const auto found = peers_.find(key);
  return found == peers_.end() ? 0 : found->second.exchanges;
}

std::size_t UpstreamPool::cut(std::string_view key) {
  const auto found = peers_.find(key);
  if (found == peers_.end()) return 0;
  found->second.cut_at = loop_.now();
  const auto lasting = found->second.lasting;  // an end takes itself out
  for (io::Cancel* each : lasting) each->request(Code::unavailable);
  return lasting.size();
}

void UpstreamPool::end(Use::Entry& peer) {
  if (--peer.second.exchanges > 0 || !peer.second.leaving) return;
  drop(peer.second);
  const std::string key = peer.first;
  peers_.erase(key);
  known_ = {};
  if (left_) left_(key);
}

UpstreamPool::Connection UpstreamPool::take(const Upstream& upstream, io::Duration most) {
  Peer* peer = find(upstream);
  if (upstream.ready && upstream.ready->options().idle.count() > 0)
    most = std::min<io::Duration>(most, upstream.ready->options().idle);
  if (peer && !peer->trunks.empty()) {
    if (auto part = share(*peer)) return part;
  }
  while (peer && !peer->kept.empty()) {
    Kept kept = std::move(peer->kept.back());
    if (loop_.now() - kept.since > most) {
      if (most < kLongIdle) {
        peer->kept.back() = std::move(kept);  // good enough for requests that can be repeated
        return nullptr;
      }
      peer->kept.clear();
      return nullptr;
    }
    peer->kept.pop_back();
    if (is_quiet(*kept.connection)) return std::move(kept.connection);
  }
  return nullptr;
}

Result<std::shared_ptr<io::TlsContext>> UpstreamPool::tls_for(const Upstream& upstream, bool plain) {
  if (upstream.ready) return upstream.ready->tls(plain ? ReadyTransport::Offer::http1 : ReadyTransport::Offer::both);
  auto& context = plain ? plain_tls_ : tls_;
  std::vector<std::string> protocols{"h2", "http/1.1"};
  if (plain) protocols.erase(protocols.begin());
  if (!context) context = TRY(io::TlsContext::client({.verify = false, .alpn = std::move(protocols)}));
  return context;
}

UpstreamPool::Connection UpstreamPool::share(Peer& peer) {
  std::erase_if(peer.trunks, [](const auto& each) { return each->is_over(); });
  for (const auto& each : peer.trunks) {
    if (each->room() == 0 || !each->is_fresh()) continue;
    auto link = std::make_unique<UpstreamLink>(nullptr);
    link->session = std::make_unique<H2Upstream>(each);
    return link;
  }
  return nullptr;
}

io::Task<Result<UpstreamPool::Connection>> UpstreamPool::connect(const Upstream& upstream, bool plain) {
  const bool may_share = (upstream.h2 || upstream.tls) && upstream.speaks == Speaks::http && !plain;
  if (!may_share) co_return co_await dial(upstream, plain);
  Peer& peer = entry(upstream).second;
  while (peer.shares) {
    if (auto part = share(peer)) co_return part;
    const auto unsettled = [](const auto& each) { return !each->is_settled(); };
    if (peer.dials == 0 && std::ranges::none_of(peer.trunks, unsettled)) break;
    const std::size_t failed = peer.failed_dials;
    peer.changed->reset();
    CO_TRY(co_await peer.changed->wait());
    if (peer.failed_dials != failed) co_return fail(Code::unavailable, "the upstream cannot be connected to");
  }
  co_return co_await dial_for_all(upstream, peer);
}

io::Task<Result<UpstreamPool::Connection>> UpstreamPool::dial_for_all(const Upstream& upstream, Peer& peer) {
  ++peer.dials;
  auto made = co_await dial(upstream, false);
  --peer.dials;
  if (made)
    peer.shares = (*made)->session != nullptr;
  else if (made.error().code != Code::cancelled)
    ++peer.failed_dials;
  peer.changed->set();
  co_return made;
}

io::Task<Result<UpstreamPool::Connection>> UpstreamPool::dial(const Upstream& upstream, bool plain) {
  ++connects;
  bool ok = false;
  const io::Address address = io::Address::ip(upstream.host, upstream.port, ok);
  if (!ok) co_return fail(Code::internal, "upstream \"" + upstream.host + "\" is not an address");
  auto stream = CO_TRY(co_await io::connect(address));
  bool h2 = upstream.h2 && !plain;
  if (upstream.tls) {
    auto context = CO_TRY(tls_for(upstream, plain));
    auto secure = io::tls_over(std::move(stream), std::move(context),
                               upstream.ready ? upstream.ready->expected(upstream.host) : std::string());
    CO_TRY(co_await secure->handshake());
    h2 = secure->protocol() == "h2";
    stream = std::move(secure);
  }
  if (h2 && upstream.speaks == Speaks::http) co_return begin_sharing(upstream, std::move(stream));
  auto link = std::make_unique<UpstreamLink>(std::move(stream));
  if (upstream.speaks != Speaks::http) link->session = std::make_unique<CgiUpstream>(link->stream(), upstream.speaks);
  co_return link;
}

UpstreamPool::Connection UpstreamPool::begin_sharing(const Upstream& upstream, std::unique_ptr<io::Stream> stream) {
  Peer& peer = entry(upstream).second;
  auto trunk = std::make_shared<H2Trunk>(loop_, std::move(stream), trunk_options(upstream, peer.changed), cancel_);
  auto link = std::make_unique<UpstreamLink>(nullptr);
  link->session = std::make_unique<H2Upstream>(trunk);
  trunks_.spawn(H2Trunk::run(trunk));
  if (peer.leaving) return link;
  std::erase_if(peer.trunks, [](const auto& each) { return each->is_over(); });
  if (count_idle(peer.trunks) >= most_kept(upstream)) (*std::ranges::find_if(peer.trunks, is_idle))->retire();
  peer.trunks.push_back(std::move(trunk));
  return link;
}

void UpstreamPool::put(const Upstream& upstream, Connection connection) {
  Peer& peer = entry(upstream).second;
  if (peer.kept.size() >= most_kept(upstream)) peer.kept.erase(peer.kept.begin());
  connection->next_message();
  peer.kept.push_back({std::move(connection), loop_.now()});
}

void UpstreamPool::failed(const Upstream& upstream, const std::optional<PassiveHealth>& passive) {
  ++failures;
  Peer& peer = entry(upstream).second;
  const io::Time now = loop_.now();
  drop(peer);
  if (!passive) {
    peer.failing_until = now + kFailing;
    return;
  }
  if (now - peer.failures_since > passive->window) {
    peer.failures_since = now;
    peer.failures = 0;
  }
  if (++peer.failures >= passive->attempts) peer.failing_until = now + passive->window;
}

void UpstreamPool::set_down(const Upstream& upstream, bool down) {
  // One that is well and was never asked needs no entry.
  if (Peer* peer = down ? &entry(upstream).second : find(upstream)) peer->down = down;
}

std::size_t UpstreamPool::exchanges(const Upstream& upstream) {
  const Peer* peer = find(upstream);
  return peer ? peer->exchanges : 0;
}

bool UpstreamPool::is_failing(const Upstream& upstream) {
  const Peer* peer = find(upstream);
  return peer && (peer->down || loop_.now() < peer->failing_until);
}

void UpstreamPool::keep_only(const std::function<bool(std::string_view key)>& names) {
  known_ = {};
  for (auto& [key, peer] : peers_) peer.leaving = !names(key);
  for (auto& [key, peer] : peers_)
    if (peer.leaving) drop(peer);
  std::erase_if(peers_, [](const auto& each) { return each.second.exchanges == 0 && each.second.leaving; });
  for (auto& [key, peer] : peers_) {
    std::erase_if(peer.kept, [&](const Kept& kept) { return loop_.now() - kept.since > kLongIdle; });
  }
}

std::vector<std::string> UpstreamPool::leaving() const {
  std::vector<std::string> keys;
  for (const auto& [key, peer] : peers_)
    if (peer.leaving) keys.push_back(key);
  return keys;
}

std::size_t UpstreamPool::idle() const {
  std::size_t count = 0;
  for (const auto& [key, peer] : peers_) count += peer.kept.size() + count_idle(peer.trunks);
  return count;
}

}  // namespace berth::edge
