#include "edge/route.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <span>
#include <unordered_set>

namespace berth::edge {
namespace {

bool goes_before(const Routes::Entry* a, const Routes::Entry* b) {
  return a->priority != b->priority ? a->priority > b->priority : a->route.name < b->route.name;
}

std::string_view parent_of(std::string_view host) {
  const auto dot = host.find('.');
  return dot == std::string_view::npos ? std::string_view() : host.substr(dot + 1);
}

/// The service that a middleware asks, or "".
std::string_view asked_by(const Middleware& middleware) {
  return std::visit(
      []<class Action>(const Action& action) {
        if constexpr (requires { action.service; })
          return std::string_view(action.service);
        else
          return std::string_view();
      },
      middleware.action);
}

/// Whether the rule asks for nothing but hosts, each an exact one: the index has decided when it names the entry.
bool asks_hosts_alone(const Rule& rule) {
  const bool any =
      rule.root.kind == RuleNode::Kind::match ||
      (rule.root.kind == RuleNode::Kind::any && std::ranges::all_of(rule.root.children, [](const RuleNode& each) {
         return each.kind == RuleNode::Kind::match;
       }));
  return any && std::ranges::all_of(rule.matchers, [](const Matcher& each) {
           return each.kind == MatcherKind::host && !each.negated && !each.value.contains('*');
         });
}

}  // namespace

std::string_view to_text(Listener listener) {
  return listener == Listener::web ? "web" : "websecure";
}

void append_upstream_key(std::string& out, const Upstream& upstream) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, upstream.port).ptr;
  const bool http = upstream.speaks == Speaks::http;
  const char* separator = !http          ? (upstream.speaks == Speaks::uwsgi ? "u" : "f")
                          : upstream.tls ? "!"
                          : upstream.h2  ? "~"
                                         : "|";
  out.append(upstream.host).append(separator).append(digits, end);
  if (!upstream.transport.empty()) out.append(" ").append(upstream.transport);
}

std::string upstream_key(const Upstream& upstream) {
  std::string key;
  append_upstream_key(key, upstream);
  return key;
}

std::vector<std::string*> parts_of(Service& service) {
  std::vector<std::string*> names;
  if (auto* weighted = std::get_if<Weighted>(&service.group)) {
    for (auto& part : weighted->services) names.push_back(&part.name);
  } else if (auto* mirroring = std::get_if<Mirroring>(&service.group)) {
    names.push_back(&mirroring->service);
    for (auto& part : mirroring->mirrors) names.push_back(&part.name);
  } else if (auto* failover = std::get_if<Failover>(&service.group)) {
    names = {&failover->service, &failover->fallback};
  }
  return names;
}

Routes::Listed::Listed(Service service) : Service(std::move(service)) {
  for (const Upstream& each : upstreams) keys.push_back(upstream_key(each));
}

std::shared_ptr<const Service> Routes::service(std::string_view name) const {
  const std::uint32_t at = by_service_.first(name);
  return at == NameIndex::kNone ? nullptr : services_[at];
}

/// Positions of up to three lists, ascending, as one ascending sequence.
class Routes::Candidates {
 public:
  Candidates(const Routes& routes, std::string_view host)
      : exact_(routes.exact_.find(host)),
        wildcard_(routes.wildcard_.find(parent_of(host))),
        generic_(routes.generic_) {}

  /// Nothing at the end. `by_host`: it is named by the exact host.
  std::optional<std::uint32_t> next(bool& by_host) {
    const std::uint32_t exact = exact_.empty() ? kEnd : exact_.front();
    const std::uint32_t wildcard = wildcard_.empty() ? kEnd : wildcard_.front();
    const std::uint32_t generic = generic_.empty() ? kEnd : generic_.front();
    const std::uint32_t least = std::min({exact, wildcard, generic});
    if (least == kEnd) return std::nullopt;
    by_host = exact == least;
    if (exact == least) exact_.pop_front();
    if (wildcard == least) wildcard_.pop_front();
    if (generic == least) generic_ = generic_.subspan(1);
    return least;
  }

 private:
  static constexpr std::uint32_t kEnd = NameIndex::kNone;
  NameIndex::Numbers exact_, wildcard_;
  std::span<const std::uint32_t> generic_;
};

/// A table on its way from another one.
class Routes::Change {
 public:
  Change(const Routes& before, MakeHandler make_handler)
      : before_(before), next_(std::make_shared<Routes>()), make_handler_(make_handler) {}

  Result<std::shared_ptr<const Routes>> run(Splices<Route> routes, Splices<Service> services) {
    note_changed(services);
    next_->services_ = TRY(spliced(before_.services_, std::move(services), [](Service service) {
      return Result<std::shared_ptr<const Listed>>(std::make_shared<const Listed>(std::move(service)));
    }));
    next_->index_services();
    for (const auto& each : routes)
      for (std::size_t i = 0; i < each.drop && each.at + i < before_.entries_.size(); ++i)
        gone_.insert(before_.entries_[each.at + i].get());
    next_->entries_ = TRY(spliced(before_.entries_, std::move(routes), [this](Route route) { return enter(route); }));
    TRY(bind_anew());
    rank();
    next_->index_entries();
    return std::shared_ptr<const Routes>(std::move(next_));
  }

 private:
  using EntryPtr = std::shared_ptr<const Entry>;

  void note_changed(const Splices<Service>& services) {
    for (const auto& each : services) {
      for (std::size_t i = 0; i < each.drop && each.at + i < before_.services_.size(); ++i)
        changed_.insert(before_.services_[each.at + i]->name);
      for (const Service& service : each.put) changed_.insert(service.name);
    }
  }

  Result<EntryPtr> enter(Route& route) {
    auto rule = parse_rule(route.rule);
    if (!rule) return fail(std::move(rule.error()).within("route \"" + route.name + "\""));
    return bound({.route = std::move(route), .rule = std::move(*rule)});
  }

  /// With what it is to find in this table.
  Result<EntryPtr> bound(Entry entry) {
    const Route& route = entry.route;
    entry.service = next_->service(route.service);
    if (!entry.service)
      return fail(Code::invalid, "route \"" + route.name + "\": service \"" + route.service + "\" does not exist");
    entry.priority = route.priority != 0 ? route.priority : entry.rule.default_priority();
    entry.listeners = 0;
    for (const Listener each : route.listeners)
      entry.listeners |= static_cast<std::uint8_t>(1u << static_cast<unsigned>(each));
    entry.host_decides = asks_hosts_alone(entry.rule);
    entry.plain = route.middlewares.empty();
    entry.logged = route.logged;
    entry.counted = route.counted;
    entry.traced = route.traced;
    entry.hosts = hosts_of(entry.rule);
    auto made = std::make_shared<Entry>(std::move(entry));
    if (make_handler_) made->handler = make_handler_(made->route, *next_);
    added_.push_back(made.get());
    return EntryPtr(std::move(made));
  }

  /// Entries that stay, and lead to services that do not.
  Result<void> bind_anew() {
    if (changed_.empty()) return {};
    const std::unordered_set<const Entry*> fresh(added_.begin(), added_.end());
    for (EntryPtr& each : next_->entries_) {
      const Route& route = each->route;
      const bool touched =
          changed_.contains(route.service) || std::ranges::any_of(route.middlewares, [&](const Middleware& middleware) {
            return changed_.contains(asked_by(middleware));
          });
      if (!touched || fresh.contains(each.get())) continue;
      gone_.insert(each.get());
      each = TRY(bound(*each));
    }
    return {};
  }

  /// What stays is in order already.
  void rank() {
    std::ranges::stable_sort(added_, goes_before);
    auto& ranked = next_->ranked_;
    ranked.reserve(next_->entries_.size());
    auto from = before_.ranked_.begin();
    const auto keep_until = [&](auto end) {
      if (gone_.empty()) {
        ranked.insert(ranked.end(), from, end);
      } else {
        std::copy_if(from, end, std::back_inserter(ranked), [&](const Entry* each) { return !gone_.contains(each); });
      }
      from = end;
    };
    for (const Entry* each : added_) {
      keep_until(std::upper_bound(from, before_.ranked_.end(), each, goes_before));
      ranked.push_back(each);
    }
    keep_until(before_.ranked_.end());
  }

  const Routes& before_;
  std::shared_ptr<Routes> next_;
  MakeHandler make_handler_;
  std::set<std::string, std::less<>> changed_;  ///< services that come, go or are others
  std::unordered_set<const Entry*> gone_;       ///< entries of the table before
  std::vector<const Entry*> added_;
};

Result<std::shared_ptr<const Routes>> Routes::build(std::vector<Route> routes, std::vector<Service> services) {
  return changed(Routes(), {{.put = std::move(routes)}}, {{.put = std::move(services)}}, nullptr);
}

Result<std::shared_ptr<const Routes>> Routes::changed(const Routes& before, Splices<Route> routes,
                                                      Splices<Service> services, MakeHandler make_handler) {
  return Change(before, make_handler).run(std::move(routes), std::move(services));
}

void Routes::index_services() {
  std::size_t upstreams = 0;
  for (const auto& each : services_) upstreams += each->keys.size();
  by_service_ = NameIndex(services_.size());
  by_upstream_ = NameIndex(upstreams);
  // The first of a name counts, and an index gives the last that was added.
  for (std::size_t i = services_.size(); i-- > 0;) {
    by_service_.add(services_[i]->name, static_cast<std::uint32_t>(i));
    for (const std::string& key : services_[i]->keys) by_upstream_.add(key, static_cast<std::uint32_t>(i));
  }
}

void Routes::index_entries() {
  std::size_t exact = 0, wildcard = 0;
  for (const Entry* each : ranked_)
    for (const std::string& host : each->hosts) ++(host.starts_with("*.") ? wildcard : exact);
  exact_ = NameIndex(exact);
  wildcard_ = NameIndex(wildcard);
  by_name_ = NameIndex(ranked_.size());
  for (std::size_t i = ranked_.size(); i-- > 0;) {
    const auto at = static_cast<std::uint32_t>(i);
    const Entry& entry = *ranked_[i];
    by_name_.add(entry.route.name, at);
    if (entry.hosts.empty()) generic_.push_back(at);
    for (const std::string& host : entry.hosts) {
      if (host.starts_with("*."))
        wildcard_.add(std::string_view(host).substr(2), at);
      else
        exact_.add(host, at);
    }
  }
  std::ranges::reverse(generic_);
}

const Route& Routes::no_middlewares() {
  static const Route none;
  return none;
}

const Routes::Entry* Routes::find(Listener listener, const RequestFacts& facts, std::uint32_t* rank) const {
  Candidates candidates(*this, facts.host);
  bool by_host = false;
  while (const auto at = candidates.next(by_host)) {
    const Entry& entry = *ranked_[*at];
    if (!entry.on(listener) || !((by_host && entry.host_decides) || matches(entry.rule, facts))) continue;
    if (rank) *rank = *at;
    return &entry;
  }
  return nullptr;
}

bool Routes::knows_host(Listener listener, std::string_view host) const {
  for (auto found : {exact_.find(host), wildcard_.find(parent_of(host))})
    for (; !found.empty(); found.pop_front())
      if (ranked_[found.front()]->on(listener)) return true;
  // A rule without a certain host: only a Host or HostRegexp matcher that fits, so that HostRegexp gets certificates
  // but PathPrefix(`/`) alone does not make every name a known one.
  return std::ranges::any_of(generic_, [&](std::uint32_t at) {
    return ranked_[at]->on(listener) && std::ranges::any_of(ranked_[at]->rule.matchers, [&](const Matcher& matcher) {
             return matcher.kind == MatcherKind::host_regexp && !matcher.negated && matches(*matcher.regex, host);
           });
  });
}

std::vector<Routes::Judged> Routes::judge(Listener listener, const RequestFacts& facts) const {
  Candidates candidates(*this, facts.host);
  std::vector<Judged> out;
  bool decided = false, by_host = false;
  while (const auto at = candidates.next(by_host)) {
    const Entry& entry = *ranked_[*at];
    Judged judged{.entry = &entry};
    if (!entry.on(listener)) {
      judged.why = "not on " + std::string(to_text(listener));
    } else if (!matches(entry.rule, facts)) {
      judged.why = "does not match " + mismatch(entry.rule, facts);
    } else if (decided) {
      judged.why = "matches, but an earlier one decided";
    } else {
      decided = judged.decides = true;
      judged.why = "matches, to service " + entry.route.service;
      if (entry.service->upstreams.empty()) judged.why += ", which has no target: " + entry.service->down;
    }
    out.push_back(std::move(judged));
  }
  return out;
}

std::string Routes::explain(Listener listener, const RequestFacts& facts) const {
  std::string out;
  bool decided = false;
  for (const Judged& each : judge(listener, facts)) {
    out += std::to_string(each.entry->priority) + " " + each.entry->route.name + " " + each.entry->route.rule + ": " +
           each.why + "\n";
    decided = decided || each.decides;
  }
  if (!decided) out += "no route on " + std::string(to_text(listener)) + " for " + std::string(facts.host) + "\n";
  return out;
}

std::vector<std::string> Routes::hosts(Listener listener) const {
  std::set<std::string> names;
  for (const auto& entry : entries_) {
    if (entry->on(listener)) names.insert(entry->hosts.begin(), entry->hosts.end());
  }
  return {names.begin(), names.end()};
}

}  // namespace berth::edge
