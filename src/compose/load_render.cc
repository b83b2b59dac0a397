#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "base/text.h"
#include "base/units.h"
#include "compose/load_stages.h"
#include "compose/validate_schema.h"
#include "compose/validate_trail.h"

namespace berth::compose {
namespace {

using Shown = std::optional<Json>;

Shown unless_empty(Json value) {
  return value.is_empty() ? Shown() : Shown(std::move(value));
}

// The nearest 32-bit number, as the shortest decimal that means it: 0.1, not 0.10000000149.
double single(double value) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(value)).ptr;
  std::from_chars(text.data(), end, value);
  return value;
}

bool parse_whole(std::string_view text, std::int64_t& value, int base = 10) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && !text.empty() && end == text.data() + text.size();
}

// Members in order of their first appearance; the last of equal keys wins.
class MapBuilder {
 public:
  void put(std::string key, Json value) {
    const auto [at, fresh] = index_.emplace(key, members_.size());
    if (fresh)
      members_.emplace_back(std::move(key), std::move(value));
    else
      members_[at->second].second = std::move(value);
  }
  Shown take() {
    if (members_.empty()) return {};
    Json map = Json::object();
    map.members_mut() = std::move(members_);
    return map;
  }

 private:
  Json::Object members_;
  std::unordered_map<std::string, std::size_t> index_;
};

class Renderer {
 public:
  explicit Renderer(const Context& context) : context_(context) {}

  Result<Shown> show(const Node& node, const Type& type, const Trail& trail) const {
    if (node.is_null()) return Shown();
    switch (type.shape) {
      case Shape::drop:
        return Shown();
      case Shape::object:
        return object(&node, type, trail);
      case Shape::list:
        return list(node, type, trail);
      case Shape::map:
        return map(node, type, trail);
      case Shape::texts:
      case Shape::numbers:
        return texts(node, trail);
      case Shape::labels:
      case Shape::variables:
      case Shape::options:
        return pairs(node, type.shape, trail);
      case Shape::multi:
        return multi(node);
      case Shape::hosts:
        return hosts(node, trail);
      case Shape::command:
        return command(node, trail);
      case Shape::test:
        return test(node, trail);
      case Shape::ulimit:
        return ulimit(node, type, trail);
      case Shape::ssh:
        return ssh(node);
      default:
        return scalar(node, type.shape, trail);
    }
  }

  /// REQUIRES: a map, or nullptr for an object that is shown without being given.
  Result<Shown> object(const Node* node, const Type& type, const Trail& trail) const {
    if (node != nullptr && !node->is_map()) return wrong(*node, trail, "a mapping");
    Json out = Json::object();
    for (const Field& field : type.fields) {
      const Node* member = node == nullptr ? nullptr : node->find(field.name);
      const Trail below{&trail, field.name};
      Shown value = member == nullptr ? Shown() : TRY(show(*member, *field.type, below));
      if (!value && field.always) value = TRY(empty(*field.type, below));
      if (value)
        out.members_mut().emplace_back(field.shown_as.empty() ? field.name : field.shown_as, *std::move(value));
    }
    return out;
  }

 private:
  std::unexpected<Error> refuse(const Node& node, const Trail& trail, std::string_view why) const {
    return context_.fail_at(node.mark, fmt::format("{}: {}", trail.text(), why));
  }
  std::unexpected<Error> wrong(const Node& node, const Trail& trail, std::string_view wanted) const {
    return refuse(node, trail, fmt::format("must be {}, not {}", wanted, node.kind_name()));
  }

  // What is shown for a field that is not given but always shown.
  Result<Json> empty(const Type& type, const Trail& trail) const {
    switch (type.shape) {
      case Shape::object:
        return *TRY(object(nullptr, type, trail));
      case Shape::map:
        return Json::object();
      case Shape::flag:
        return Json(false);
      case Shape::integer:
        return Json(0);
      case Shape::bytes:
        return Json("0");
      case Shape::text:
        return Json("");
      default:
        return Json();
    }
  }

  Result<Shown> scalar(const Node& node, Shape shape, const Trail& trail) const {
    switch (shape) {
      case Shape::text:
        if (!node.is_text() && node.kind != Kind::integer) return wrong(node, trail, "a string");
        return unless_empty(node.scalar_text());
      case Shape::boolean:
        return unless_empty(TRY(boolean(node, trail)));
      case Shape::flag:
        return Shown(TRY(boolean(node, trail)));
      case Shape::opt_out:
        return TRY(boolean(node, trail)) ? Shown() : Shown(false);
      case Shape::integer:
        return whole(node, trail, true);
      case Shape::count:
        return whole(node, trail, false);
      case Shape::single:
        return real(node, trail);
      case Shape::bytes:
        return bytes(node, trail);
      case Shape::duration:
        return duration(node, trail, false);
      case Shape::delay:
        return duration(node, trail, true);
      case Shape::mode:
        return mode(node, trail);
      case Shape::device_count:
        if (node.is_text() && lower(node.text) == "all") return Shown(-1);
        return whole(node, trail, true);
      default:
        return Shown();
    }
  }

  Result<bool> boolean(const Node& node, const Trail& trail) const {
    const std::string word = lower(node.text);
    if (node.kind == Kind::boolean) return node.boolean;
    if (word == "true" || word == "yes" || word == "on" || word == "y") return true;
    if (word == "false" || word == "no" || word == "off" || word == "n") return false;
    return refuse(node, trail, fmt::format("invalid boolean: {}", node.scalar_text()));
  }

  Result<std::int64_t> integer(const Node& node, const Trail& trail) const {
    std::int64_t value = node.integer;
    if (node.kind == Kind::real && std::abs(node.real) < 9e18) return static_cast<std::int64_t>(node.real);
    if (node.kind == Kind::integer || (node.is_text() && parse_whole(node.text, value))) return value;
    return refuse(node, trail, fmt::format("\"{}\" is not an integer", node.scalar_text()));
  }

  // A zero stands for "not given" where the engine's own default is zero.
  Result<Shown> whole(const Node& node, const Trail& trail, bool hide_zero) const {
    const std::int64_t value = TRY(integer(node, trail));
    return value == 0 && hide_zero ? Shown() : Shown(value);
  }

  Result<Shown> real(const Node& node, const Trail& trail) const {
    double value = node.kind == Kind::integer ? static_cast<double>(node.integer) : node.real;
    if (node.is_text() && !parse_real(node.text, value))
      return refuse(node, trail, fmt::format("\"{}\" is not a number", node.text));
    value = single(value);
    return value == 0 ? Shown() : Shown(value);
  }

  Result<Shown> bytes(const Node& node, const Trail& trail) const {
    std::int64_t value = 0;
    if (!node.is_text()) {
      value = TRY(integer(node, trail));
    } else if (!parse_whole(node.text, value)) {
      auto parsed = parse_size(node.text);
      if (!parsed) return refuse(node, trail, parsed.error().message);
      value = *parsed;
    }
    return value == 0 ? Shown() : Shown(std::to_string(value));
  }

  Result<Shown> duration(const Node& node, const Trail& trail, bool hide_zero) const {
    const auto value = parse_duration(node.scalar_text());
    if (!value) return refuse(node, trail, value.error().message);
    return value->count() == 0 && hide_zero ? Shown() : Shown(format_duration(*value));
  }

  Result<Shown> mode(const Node& node, const Trail& trail) const {
    std::int64_t value = 0;
    if (!node.is_text())
      value = TRY(integer(node, trail));
    else if (!parse_whole(node.text, value, 8))
      return refuse(node, trail, fmt::format("\"{}\" is not an octal file mode", node.text));
    return Shown(fmt::format("0{:o}", value));
  }

  Result<Shown> list(const Node& node, const Type& type, const Trail& trail) const {
    if (!node.is_list()) return wrong(node, trail, "a list");
    Json out = Json::array();
    out.items_mut().reserve(node.items.size());
    for (std::size_t i = 0; i < node.items.size(); ++i)
      out.push(TRY(show(node.items[i], *type.items, {&trail, {}, i})).value_or(Json()));
    return unless_empty(std::move(out));
  }

  Result<Shown> map(const Node& node, const Type& type, const Trail& trail) const {
    if (!node.is_map()) return wrong(node, trail, "a mapping");
    Json out = Json::object();
    out.members_mut().reserve(node.items.size());
    for (const Node& item : node.items)
      out.members_mut().emplace_back(item.key, TRY(show(item, *type.values, {&trail, item.key})).value_or(Json()));
    return unless_empty(std::move(out));
  }

  Result<Json> items(const Node& node, const Trail& trail) const {
    Json out = Json::array();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (!node.items[i].is_scalar()) return wrong(node.items[i], {&trail, {}, i}, "a string");
      out.push(node.items[i].scalar_text());
    }
    return out;
  }

  Result<Shown> texts(const Node& node, const Trail& trail) const {
    if (node.is_text()) return Shown(Json::array({node.text}));
    return unless_empty(TRY(items(node, trail)));
  }

  Result<Shown> pairs(const Node& node, Shape shape, const Trail& trail) const {
    const bool keep_null = shape == Shape::variables;
    MapBuilder out;
    for (const Node& item : node.items) {
      if (node.is_map()) {
        if (!item.is_scalar()) return wrong(item, {&trail, item.key}, "a string");
        out.put(item.key, keep_null && item.is_null() ? Json() : Json(item.scalar_text()));
        continue;
      }
      const std::string text = item.scalar_text();
      const Cut parts = cut(text, '=');
      if (keep_null && !parts.before.empty() && trim(parts.before.substr(parts.before.size() - 1)).empty())
        return refuse(item, trail,
                      fmt::format("environment variable {} is declared with a trailing space", parts.before));
      out.put(std::string(parts.before), keep_null && !parts.found ? Json() : Json(parts.after));
    }
    return out.take();
  }

  Result<Shown> multi(const Node& node) const {
    Json out = Json::object();
    for (const Node& item : node.items) {
      Json values = Json::array();
      if (!item.is_list()) values.push(item.scalar_text());
      for (const Node& value : item.items) values.push(value.scalar_text());
      out.members_mut().emplace_back(item.key, std::move(values));
    }
    return unless_empty(std::move(out));
  }

  static std::vector<std::string> addresses_of(const Node& item, bool in_map, std::string_view after) {
    std::vector<std::string> addresses;
    if (!in_map)
      for (const std::string_view address : split(after, ',')) addresses.emplace_back(address);
    else if (item.is_list())
      for (const Node& address : item.items) addresses.push_back(address.scalar_text());
    else
      addresses.push_back(item.scalar_text());
    return addresses;
  }

  // The separator is the first `=`, or else the first `:`; an address may stand in brackets.
  Result<Shown> hosts(const Node& node, const Trail& trail) const {
    std::vector<std::string> out;
    for (const Node& item : node.items) {
      const std::string entry = item.scalar_text();
      const Cut parts = cut(entry, entry.find('=') == std::string::npos ? ':' : '=');
      const std::string_view host = node.is_map() ? std::string_view(item.key) : parts.before;
      if (!node.is_map() && !parts.found)
        return refuse(item, trail, fmt::format("invalid additional host, missing IP: {}", entry));
      if (host.empty() || host.find_first_of(":=") != std::string_view::npos)
        return refuse(item, trail, fmt::format("bad host name '{}'", host));
      for (std::string_view address : addresses_of(item, node.is_map(), parts.after)) {
        const bool brackets = address.size() > 2 && address.starts_with('[') && address.ends_with(']');
        out.push_back(fmt::format("{}={}", host, brackets ? address.substr(1, address.size() - 2) : address));
      }
    }
    std::ranges::sort(out);
    return unless_empty(Json(Json::Array(out.begin(), out.end())));
  }

  Result<Shown> command(const Node& node, const Trail& trail) const {
    if (!node.is_text()) return Shown(TRY(items(node, trail)));
    auto words = split_words(node.text);
    if (!words) return refuse(node, trail, words.error().message);
    return Shown(Json(Json::Array(words->begin(), words->end())));
  }

  Result<Shown> test(const Node& node, const Trail& trail) const {
    if (node.is_text()) return Shown(Json::array({"CMD-SHELL", node.text}));
    return unless_empty(TRY(items(node, trail)));
  }

  Result<Shown> ulimit(const Node& node, const Type& type, const Trail& trail) const {
    if (node.is_map()) return object(&node, type, trail);
    const std::int64_t value = TRY(integer(node, trail));
    return value == 0 ? Shown(Json::object()) : Shown(value);
  }

  Result<Shown> ssh(const Node& node) const {
    Json out = Json::array();
    for (const Node& item : node.items)
      out.push(item.is_null() || item.scalar_text().empty() ? item.key : item.key + "=" + item.scalar_text());
    return unless_empty(std::move(out));
  }

  const Context& context_;
};

}  // namespace

Result<Json> render(const Context& context, const Node& model) {
  Json document = *TRY(Renderer(context).object(&model, compose_schema(), {}));
  for (const Node& item : model.items)
    if (item.key.starts_with("x-")) document.members_mut().emplace_back(item.key, to_json(item));
  // What a config takes from the environment is not shown beside the variable's name.
  if (document.contains("configs"))
    for (auto& [name, config] : document.slot("configs").members_mut())
      if (config.contains("environment")) config.erase("content");
  return document;
}

}  // namespace berth::compose
