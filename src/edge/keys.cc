#include "edge/keys.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/json_fold.h"
#include "base/text.h"
#include "base/units.h"
#include "edge/keys_check.h"
#include "edge/keys_policy.h"
#include "edge/keys_service.h"
#include "edge/keys_tcp.h"
#include "edge/label_parse.h"
#include "edge/rule.h"

namespace berth::edge {
namespace {

using std::chrono::milliseconds;

template <class T>
concept HasKeys = requires { Keys<T>::all; };

template <class T>
constexpr bool kIsList = false;
template <class T>
constexpr bool kIsList<std::vector<T>> = true;
template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;

constexpr std::string_view kStrategies[] = {"wrr", "p2c", "hrw", "leasttime"};

std::unexpected<Error> wrong(std::string_view path, std::string_view text, std::string_view what) {
  return fail(Code::invalid, std::string(path) + ": \"" + std::string(text) + "\" " + std::string(what));
}

// One read() for each type of a value.

Result<void> read(const Json& json, std::string_view path, bool& into) {
  const auto flag = json.is_bool() ? std::optional(json.boolean()) : parse_bool(scalar(json));
  if (!flag) return wrong(path, scalar(json), "is neither true nor false");
  into = *flag;
  return {};
}

template <class Number>
  requires std::is_integral_v<Number>
Result<void> read(const Json& json, std::string_view path, Number& into) {
  const std::string text = scalar(json);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error != std::errc{} || end != text.data() + text.size()) return wrong(path, text, "is not a number in range");
  return {};
}

Result<void> read(const Json& json, std::string_view path, milliseconds& into) {
  const std::string text = scalar(json);
  // A bare number is seconds.
  const bool digits = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  const auto parsed = parse_duration(digits ? text + "s" : text);
  if (!parsed || *parsed < std::chrono::nanoseconds(0)) {
    return wrong(path, text, "is not a duration such as 1s or 1m");
  }
  into = std::chrono::duration_cast<milliseconds>(*parsed);
  return {};
}

Result<void> read(const Json& json, std::string_view path, OpenDuration& into) {
  if (!scalar(json).starts_with('-')) return read(json, path, into.value);
  into.value = milliseconds(-1);
  return {};
}

Result<void> read(const Json& json, std::string_view path, std::string& into) {
  if (json.is_array() || json.is_object()) return fail(Code::invalid, std::string(path) + " is not a text");
  into = scalar(json);
  return {};
}

Result<void> read(const Json& json, std::string_view path, Pattern& into) {
  into.text = scalar(json);
  if (into.text.empty()) {
    into.regex = nullptr;
    return {};
  }
  auto regex = compile_regex(into.text, {.captures = true});
  if (!regex) return fail(std::move(regex.error()).within(path));
  into.regex = std::move(*regex);
  return {};
}

Result<void> read(const Json& json, std::string_view path, Cidr& into) {
  auto parsed = parse_cidr(scalar(json));
  if (!parsed) return wrong(path, scalar(json), "is not an address or prefix");
  into = *parsed;
  return {};
}

Result<void> read(const Json& json, std::string_view path, StatusRange& into) {
  const std::string text = scalar(json);
  const Cut parts = cut(text, '-');
  TRY(read(Json(parts.before), path, into.first));
  into.last = into.first;
  if (parts.found) TRY(read(Json(parts.after), path, into.last));
  const bool right = into.first >= 100 && into.last <= 599 && into.first <= into.last;
  return right ? Result<void>() : wrong(path, text, "is not a status or a range of them");
}

Result<void> read(const Json& json, std::string_view path, Strategy& into) {
  const std::string text = lower(scalar(json));
  const auto at = std::ranges::find(kStrategies, text);
  if (at == std::end(kStrategies)) return wrong(path, text, "is not wrr, p2c, hrw or leasttime");
  into = static_cast<Strategy>(at - kStrategies);
  return {};
}

/// Label keys come in lower case; fields are usually written as X-Real-Ip.
std::string title_case(std::string_view name) {
  std::string out(name);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool first = i == 0 || out[i - 1] == '-';
    if (first && out[i] >= 'a' && out[i] <= 'z') out[i] = static_cast<char>(out[i] - 'a' + 'A');
  }
  return out;
}

Result<void> read(const Json& json, std::string_view path, Pairs& into) {
  into.clear();
  for (const auto& [name, value] : json.members()) {
    TRY(check_field(std::string(path) + "." + name, name, scalar(value)));
    into.emplace_back(title_case(name), scalar(value));
  }
  return {};
}

/// Fields below `json` as "a.b" -> "value".
void flatten(const Json& json, const std::string& path, Pairs& out) {
  for (const auto& [name, value] : json.members()) {
    const std::string key = path.empty() ? name : path + "." + name;
    if (value.is_object())
      flatten(value, key, out);
    else
      out.emplace_back(key, scalar(value));
  }
}

Result<void> read(const Json& json, std::string_view, CachePolicy& into) {
  Pairs fields;
  flatten(json, "", fields);
  into = TRY(read_cache_policy(std::move(fields)));
  return {};
}

template <HasKeys T>
Result<void> read(const Json& json, std::string_view path, T& into);

template <class T>
Result<void> read(const Json& json, std::string_view path, std::vector<T>& into) {
  into.clear();
  std::vector<Json> parts;
  if (!json.is_array()) {
    for (std::string& part : parse_list(scalar(json))) parts.emplace_back(std::move(part));
  }
  for (const Json& item : json.is_array() ? json.items() : parts) TRY(read(item, path, into.emplace_back()));
  return {};
}

template <class T>
Result<void> read(const Json& json, std::string_view path, std::optional<T>& into) {
  if (json.is_text() && parse_bool(json.text()) == false) return {};
  return read(json, path, into.emplace());
}

std::string below(std::string_view path, std::string_view name) {
  return path.empty() ? lower(name) : name.empty() ? std::string(path) : std::string(path) + "." + lower(name);
}

// Which keys there are, so that a misspelt one is an error and not a hole.

struct Known {
  std::vector<std::string> leaves;  ///< with a value
  std::vector<std::string> open;    ///< any key may stand below
  std::vector<std::string> tables;  ///< "true" may stand for all below
};

template <HasKeys T>
void collect(Known& known, const std::string& path) {
  std::apply(
      [&](const auto&... each) {
        const auto one = [&]<class Owner, class Member>(const Key<Owner, Member>& key) {
          const std::string name = below(path, key.name);
          if constexpr (HasKeys<Member>) {
            known.tables.push_back(name);
            collect<Member>(known, name);
          } else if constexpr (kIsOptional<Member>) {
            known.tables.push_back(name);
            collect<typename Member::value_type>(known, name);
          } else if constexpr (std::is_same_v<Member, Pairs>) {
            known.open.push_back(name);
          } else {
            known.leaves.push_back(name);
          }
        };
        (one(each), ...);
      },
      Keys<T>::all);
}

Result<void> check_known(const Known& known, const Json& tree, const std::string& path) {
  for (const auto& [name, value] : tree.members()) {
    const std::string full = below(path, name);
    if (std::ranges::count(known.leaves, full) || std::ranges::count(known.open, full)) continue;
    const bool leads =
        std::ranges::any_of(known.leaves, [&](const auto& leaf) { return leaf.starts_with(full + "."); });
    if (leads && value.is_object()) {
      TRY(check_known(known, value, full));
      continue;
    }
    if (std::ranges::count(known.tables, full) && !value.is_array()) continue;
    std::vector<std::string_view> names(known.leaves.begin(), known.leaves.end());
    return fail(Code::invalid, full + ": is not known" + suggestion(full, names));
  }
  return {};
}

template <HasKeys T>
Result<void> read_members(const Json& json, std::string_view path, T& into) {
  Result<void> result;
  const auto one = [&]<class Owner, class Member>(const Key<Owner, Member>& key) {
    if (!result) return;
    if (key.name.empty()) {
      if constexpr (HasKeys<Member>) result = read_members(json, path, into.*key.member);
      return;
    }
    const Json& value = json.at(lower(key.name));
    if (!value.is_null()) result = read(value, below(path, key.name), into.*key.member);
  };
  std::apply([&](const auto&... each) { (one(each), ...); }, Keys<T>::all);
  return result;
}

template <HasKeys T>
Result<void> read(const Json& json, std::string_view path, T& into) {
  if constexpr (std::is_base_of_v<Transport, T>) TRY(check_offered(path, json));
  Known known;
  collect<T>(known, std::string(path));
  TRY(check_known(known, json, std::string(path)));
  TRY(read_members(json, path, into));
  return check(path, into);
}

// Writing.

Json write(bool value) {
  return value;
}
template <class Number>
  requires std::is_integral_v<Number>
Json write(Number value) {
  return static_cast<std::int64_t>(value);
}
Json write(milliseconds value) {
  return std::to_string(value.count()) + "ms";
}
Json write(const OpenDuration& value) {
  return write(value.value);
}
Json write(const std::string& value) {
  return value;
}
Json write(const Pattern& value) {
  return value.text;
}
Json write(const Cidr& value) {
  return value.text();
}
Json write(const StatusRange& value) {
  return std::to_string(value.first) + "-" + std::to_string(value.last);
}
Json write(Strategy value) {
  return kStrategies[static_cast<std::size_t>(value)];
}
Json write(const Pairs& value) {
  Json json = Json::object();
  for (const auto& [name, text] : value) json.set(name, text);
  return json;
}
Json write(const CachePolicy& value) {
  return write(value.fields);
}
template <HasKeys T>
Json write(const T& value);
template <class T>
Json write(const std::vector<T>& value) {
  Json json = Json::array();
  for (const T& item : value) json.push(write(item));
  return json;
}
template <class T>
Json write(const std::optional<T>& value) {
  return value ? write(*value) : Json();
}

template <HasKeys T>
void write_members(const T& value, Json& json) {
  const T standard{};
  const auto one = [&]<class Owner, class Member>(const Key<Owner, Member>& key) {
    if (key.name.empty()) {
      if constexpr (HasKeys<Member>) write_members(value.*key.member, json);
      return;
    }
    if (value.*key.member == standard.*key.member) return;
    const std::string name = lower(key.name);
    Json* at = &json;
    const auto parts = split(name, '.');
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) at = &at->slot(parts[i]);
    at->set(parts.back(), write(value.*key.member));
  };
  std::apply([&](const auto&... each) { (one(each), ...); }, Keys<T>::all);
}

template <HasKeys T>
Json write(const T& value) {
  Json json = Json::object();
  write_members(value, json);
  return json;
}

// The kinds.

template <class Variant, std::size_t From, class Use>
bool each_alternative(Use use) {
  if constexpr (From < std::variant_size_v<Variant>) {
    return use.template operator()<std::variant_alternative_t<From, Variant>>() ||
           each_alternative<Variant, From + 1>(use);
  } else {
    return false;
  }
}

using Group = decltype(Service::group);

// The list for people.

std::string_view type_of(const bool&) {
  return "true or false";
}
template <class Number>
  requires std::is_integral_v<Number>
std::string_view type_of(const Number&) {
  return "number";
}
std::string_view type_of(const milliseconds&) {
  return "duration";
}
std::string_view type_of(const OpenDuration&) {
  return "duration";
}
std::string_view type_of(const std::string&) {
  return "text";
}
std::string_view type_of(const Pattern&) {
  return "pattern";
}
std::string_view type_of(const Strategy&) {
  return "text";
}
std::string_view type_of(const Pairs&) {
  return "fields";
}
template <class T>
std::string_view type_of(const std::vector<T>&) {
  return "list";
}

std::string default_of(const Json& json) {
  if (json.is_array()) {
    std::string out;
    for (const Json& item : json.items()) out += (out.empty() ? "" : ",") + scalar(item);
    return out;
  }
  return json.is_object() ? "" : scalar(json);
}

template <HasKeys T>
void describe_members(std::string& out, const std::string& path) {
  const T standard{};
  const auto one = [&]<class Owner, class Member>(const Key<Owner, Member>& key) {
    const std::string name = below(path, key.name);
    if constexpr (HasKeys<Member>) {
      describe_members<Member>(out, name);
    } else if constexpr (kIsOptional<Member>) {
      describe_members<typename Member::value_type>(out, name);
    } else {
      const std::string value = default_of(write(standard.*key.member));
      out += "| `" + name + "` | " + std::string(type_of(standard.*key.member)) + " | " +
             (value.empty() ? "" : "`" + value + "`") + " | " + std::string(key.meaning) + " |\n";
    }
  };
  std::apply([&](const auto&... each) { (one(each), ...); }, Keys<T>::all);
}

template <HasKeys T>
void describe_kind(std::string& out) {
  const std::string name = lower(Keys<T>::kind);
  out += "\n### " + name + "\n\n" + std::string(Keys<T>::does) +
         "\n\n| key | type | default | meaning |\n|---|---|---|---|\n";
  describe_members<T>(out, name);
}

}  // namespace

std::vector<std::string_view> middleware_kinds() {
  static const std::vector<std::string> kinds = [] {
    std::vector<std::string> all;
    each_alternative<Action, 0>([&]<class T>() {
      all.push_back(lower(Keys<T>::kind));
      return false;
    });
    std::ranges::sort(all);
    return all;
  }();
  return {kinds.begin(), kinds.end()};
}

Result<Action> read_action(std::string_view kind, const Json& tree) {
  Result<Action> result = fail(Code::not_found, "middleware kind \"" + std::string(kind) + "\" is not known" +
                                                    suggestion(kind, middleware_kinds()));
  each_alternative<Action, 0>([&]<class T>() {
    if (!equal_fold(kind, Keys<T>::kind)) return false;
    T action{};
    const auto done = read(tree, lower(Keys<T>::kind), action);
    if (done)
      result = Action(std::move(action));
    else
      result = fail(done.error());
    return true;
  });
  return result;
}

Json write_action(const Action& action) {
  return std::visit([]<class T>(const T& each) { return Json::object({{lower(Keys<T>::kind), write(each)}}); }, action);
}

Result<void> read_balancing(const Json& tree, Service& service) {
  return read(tree, "loadbalancer", service);
}

Json write_balancing(const Service& service) {
  return write(service);
}

Result<void> read_group(std::string_view kind, const Json& tree, Service& service) {
  Result<void> result = fail(Code::not_found, "service kind \"" + std::string(kind) + "\" is not known");
  each_alternative<Group, 1>([&]<class T>() {
    if (!equal_fold(kind, Keys<T>::kind)) return false;
    T group{};
    result = read(tree, lower(Keys<T>::kind), group);
    service.group = std::move(group);
    return true;
  });
  return result;
}

Json write_group(const Service& service) {
  return std::visit(
      []<class T>(const T& each) {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return Json();
        } else {
          return Json::object({{lower(Keys<T>::kind), write(each)}});
        }
      },
      service.group);
}

Result<TcpMiddleware::Action> read_tcp_action(std::string_view kind, const Json& tree) {
  Result<TcpMiddleware::Action> result = fail(Code::not_found, "TCP middleware kind \"" + std::string(kind) +
                                                                   "\" is not known; there are ipallowlist and "
                                                                   "inflightconn");
  each_alternative<TcpMiddleware::Action, 0>([&]<class T>() {
    const bool old = equal_fold(kind, "ipwhitelist") && std::is_same_v<T, TcpIpAllowList>;
    if (!equal_fold(kind, Keys<T>::kind) && !old) return false;
    T action{};
    const auto done = read(tree, lower(Keys<T>::kind), action);
    result = done ? Result<TcpMiddleware::Action>(std::move(action)) : fail(done.error());
    return true;
  });
  return result;
}

Json write_tcp_action(const TcpMiddleware::Action& action) {
  return std::visit([]<class T>(const T& each) { return Json::object({{lower(Keys<T>::kind), write(each)}}); }, action);
}

Result<void> read_tcp_balancing(const Json& tree, TcpService& service) {
  return read(tree, "loadbalancer", service);
}

Json write_tcp_balancing(const TcpService& service) {
  return write(service);
}

Result<void> read_transport(const Json& tree, Transport& transport) {
  return read(tree, "serverstransport", transport);
}
Result<void> read_transport(const Json& tree, TcpTransport& transport) {
  return read(tree, "serverstransport", transport);
}
Json write_transport(const Transport& transport) {
  return write(transport);
}
Json write_transport(const TcpTransport& transport) {
  return write(transport);
}

std::string describe_keys() {
  std::string middlewares, services;
  for (const std::string_view kind : middleware_kinds()) {
    each_alternative<Action, 0>([&]<class T>() {
      if (!equal_fold(kind, Keys<T>::kind)) return false;
      describe_kind<T>(middlewares);
      return true;
    });
  }
  describe_kind<Service>(services);
  each_alternative<Group, 1>([&]<class T>() {
    describe_kind<T>(services);
    return false;
  });
  std::string tcp;
  each_alternative<TcpMiddleware::Action, 0>([&]<class T>() {
    describe_kind<T>(tcp);
    return false;
  });
  describe_kind<TcpService>(tcp);
  std::string transports;
  describe_kind<Transport>(transports);
  describe_kind<TcpTransport>(transports);
  return "## Middlewares\n" + middlewares + "\n## Services\n" + services + "\n## TCP\n" + tcp +
         "\n## Transports (in files only)\n" + transports;
}

}  // namespace berth::edge
