#include "edge/route.h"

#include <algorithm>
#include <charconv>

namespace berth::edge {
namespace {

/// Ascending positions of up to three lists as one ascending sequence.
class Candidates {
 public:
  void add(const std::vector<std::uint32_t>* list) {
    if (list && !list->empty()) lists_[count_++] = {list->data(), list->data() + list->size()};
  }
  std::optional<std::uint32_t> next() {
    std::optional<std::uint32_t> least;
    for (std::size_t i = 0; i < count_; ++i) {
      auto& [at, end] = lists_[i];
      if (at != end && (!least || *at < *least)) least = *at;
    }
    for (std::size_t i = 0; least && i < count_; ++i) {
      auto& [at, end] = lists_[i];
      if (at != end && *at == *least) ++at;
    }
    return least;
  }

 private:
  std::array<std::pair<const std::uint32_t*, const std::uint32_t*>, 3> lists_{};
  std::size_t count_ = 0;
};

template <class Index>
const std::vector<std::uint32_t>* look_up(const Index& index, std::string_view key) {
  const auto at = index.find(key);
  return at == index.end() ? nullptr : &at->second;
}

/// By priority, then by name. Entries are large: each is moved once.
std::vector<Routes::Entry> in_order(std::vector<Routes::Entry> entries) {
  std::vector<std::uint32_t> order(entries.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::uint32_t left, std::uint32_t right) {
    const Routes::Entry &a = entries[left], &b = entries[right];
    return a.priority != b.priority ? a.priority > b.priority : a.route.name < b.route.name;
  });
  std::vector<Routes::Entry> sorted;
  sorted.reserve(entries.size());
  for (const std::uint32_t at : order) sorted.push_back(std::move(entries[at]));
  return sorted;
}

std::string_view parent_of(std::string_view host) {
  const auto dot = host.find('.');
  return dot == std::string_view::npos ? std::string_view() : host.substr(dot + 1);
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

const Service* Routes::service(std::string_view name) const {
  const auto at = std::ranges::find(services_, name, &Service::name);
  return at == services_.end() ? nullptr : &*at;
}

bool Routes::Entry::on(Listener listener) const {
  return std::ranges::count(route.listeners, listener) > 0;
}

Result<std::shared_ptr<const Routes>> Routes::build(std::vector<Route> routes, std::vector<Service> services) {
  auto table = std::make_shared<Routes>();
  table->services_ = std::move(services);
  std::unordered_map<std::string_view, const Service*> by_name;
  for (const Service& service : table->services_) by_name[service.name] = &service;
  std::vector<Entry> entries;
  entries.reserve(routes.size());
  for (Route& route : routes) {
    const auto subject = [&] { return "route \"" + route.name + "\""; };
    auto rule = parse_rule(route.rule);
    if (!rule) return fail(std::move(rule.error()).within(subject()));
    const auto service = by_name.find(route.service);
    if (service == by_name.end()) {
      return fail(Code::invalid, subject() + ": service \"" + route.service + "\" does not exist");
    }
    const int priority = route.priority != 0 ? route.priority : rule->default_priority();
    entries.push_back({std::move(route), std::move(*rule), priority, service->second});
  }
  table->entries_ = in_order(std::move(entries));
  table->index_entries();
  return table;
}

void Routes::index_entries() {
  exact_.reserve(entries_.size());
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    const auto hosts = hosts_of(entries_[i].rule);
    if (hosts.empty()) generic_.push_back(i);
    for (const std::string& host : hosts) {
      if (host.starts_with("*.")) {
        wildcard_[host.substr(2)].push_back(i);
      } else {
        exact_[host].push_back(i);
      }
    }
  }
}

const Routes::Entry* Routes::find(Listener listener, const RequestFacts& facts) const {
  Candidates candidates;
  candidates.add(look_up(exact_, facts.host));
  candidates.add(look_up(wildcard_, parent_of(facts.host)));
  candidates.add(&generic_);
  while (const auto at = candidates.next()) {
    const Entry& entry = entries_[*at];
    if (entry.on(listener) && matches(entry.rule, facts)) return &entry;
  }
  return nullptr;
}

bool Routes::knows_host(Listener listener, std::string_view host) const {
  const auto here = [&](std::uint32_t at) { return entries_[at].on(listener); };
  for (const auto* list : {look_up(exact_, host), look_up(wildcard_, parent_of(host))}) {
    if (list && std::ranges::any_of(*list, here)) return true;
  }
  // A rule without a certain host: only a Host or HostRegexp matcher that fits, so that HostRegexp gets certificates
  // but PathPrefix(`/`) alone does not make every name a known one.
  return std::ranges::any_of(generic_, [&](std::uint32_t at) {
    return here(at) && std::ranges::any_of(entries_[at].rule.matchers, [&](const Matcher& matcher) {
             return matcher.kind == MatcherKind::host_regexp && !matcher.negated && matches(*matcher.regex, host);
           });
  });
}

std::vector<Routes::Judged> Routes::judge(Listener listener, const RequestFacts& facts) const {
  Candidates candidates;
  candidates.add(look_up(exact_, facts.host));
  candidates.add(look_up(wildcard_, parent_of(facts.host)));
  candidates.add(&generic_);
  std::vector<Judged> out;
  bool decided = false;
  while (const auto at = candidates.next()) {
    const Entry& entry = entries_[*at];
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
  for (const Entry& entry : entries_) {
    if (!entry.on(listener)) continue;
    for (std::string& host : hosts_of(entry.rule)) names.insert(std::move(host));
  }
  return {names.begin(), names.end()};
}

}  // namespace berth::edge
