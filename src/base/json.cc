#include "base/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace berth {
namespace {

// Builds our value straight from Boost.JSON's events.
struct Builder {
  static constexpr std::size_t max_object_size = 1u << 20;
  static constexpr std::size_t max_array_size = 1u << 22;
  static constexpr std::size_t max_key_size = 1u << 20;
  static constexpr std::size_t max_string_size = 1u << 28;
  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;

  std::vector<Json> open;
  std::vector<std::string> keys;
  std::string text;
  Json root;

  void put(Json value) {
    if (open.empty()) {
      root = std::move(value);
    } else if (open.back().is_array()) {
      open.back().push(std::move(value));
    } else {
      open.back().members_mut().emplace_back(std::move(keys.back()), std::move(value));
      keys.pop_back();
    }
  }
  bool close() {
    Json value = std::move(open.back());
    open.pop_back();
    put(std::move(value));
    return true;
  }
  static bool all_differ(const Json::Object& members) {
    for (std::size_t i = 1; i < members.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (members[i].first == members[j].first) return false;
    return true;
  }
  // The last of equal keys wins; many are sorted once, so that a hostile object of a million keys costs no square.
  static void keep_last(Json::Object& members) {
    constexpr std::size_t kFew = 24;
    if (members.size() <= kFew && all_differ(members)) return;
    std::vector<std::size_t> order(members.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto by_key = [&](std::size_t a, std::size_t b) { return members[a].first < members[b].first; };
    std::stable_sort(order.begin(), order.end(), by_key);
    std::vector<bool> drop(members.size(), false);
    bool any = false;
    for (std::size_t i = 1; i < order.size(); ++i)
      if (members[order[i - 1]].first == members[order[i]].first) drop[order[i - 1]] = any = true;
    if (!any) return;
    Json::Object kept;
    for (std::size_t i = 0; i < members.size(); ++i)
      if (!drop[i]) kept.push_back(std::move(members[i]));
    members = std::move(kept);
  }
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return open.push_back(Json::object()), true; }
  bool on_object_end(std::size_t, error_code&) {
    keep_last(open.back().members_mut());
    return close();
  }
  bool on_array_begin(error_code&) { return open.push_back(Json::array()), true; }
  bool on_array_end(std::size_t, error_code&) { return close(); }
  bool on_key_part(string_view part, std::size_t, error_code&) { return text.append(part.data(), part.size()), true; }
  bool on_key(string_view part, std::size_t, error_code&) {
    keys.push_back(text.append(part.data(), part.size()));
    text.clear();
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    return text.append(part.data(), part.size()), true;
  }
  bool on_string(string_view part, std::size_t, error_code&) {
    put(Json(text.append(part.data(), part.size())));
    text.clear();
    return true;
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, string_view, error_code&) { return put(Json(value)), true; }
  bool on_uint64(std::uint64_t value, string_view, error_code&) { return put(Json(static_cast<double>(value))), true; }
  // Boost's own reading is off in the last place now and then. 1e999 is no number that could be written again.
  bool on_double(double value, string_view text_of_it, error_code& error) {
    std::from_chars(text_of_it.data(), text_of_it.data() + text_of_it.size(), value);
    if (!std::isfinite(value)) error = boost::json::error::exponent_overflow;
    return put(Json(value)), !error;
  }
  bool on_bool(bool value, error_code&) { return put(Json(value)), true; }
  bool on_null(error_code&) { return put(Json()), true; }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

const Json kNull;
const Json::Array kNoItems;
const Json::Object kNoMembers;

// Long objects are mostly sorted, as loaders and engines write them: there a binary search finds what is there.
const Json::Member* find_sorted(const Json::Object& object, std::string_view key) {
  std::size_t first = 0;
  for (std::size_t count = object.size(); count > 0;) {
    const std::size_t half = count / 2;
    const bool before = object[first + half].first < key;
    first += before ? half + 1 : 0;
    count = before ? count - half - 1 : half;
  }
  return first < object.size() && object[first].first == key ? &object[first] : nullptr;
}

const Json::Member* find(const Json::Object& object, std::string_view key) {
  constexpr std::size_t kLong = 32;
  const Json::Member* found = object.size() < kLong ? nullptr : find_sorted(object, key);
  if (found) return found;
  const auto at = std::find_if(object.begin(), object.end(), [&](const Json::Member& m) { return m.first == key; });
  return at == object.end() ? nullptr : &*at;
}

void append_quoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    std::size_t length = 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[(c >> 4) & 0xF];
          out += kHex[c & 0xF];
        } else if (length = utf8_length(text); length > 0) {
          out += text.substr(0, length);
        } else {
          length = 1;
          out += "\xEF\xBF\xBD";
        }
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";  // RFC 8259 section 6 has no other way
    return;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

struct Writer {
  std::string& out;
  int indent;
  bool sorted;

  void line(int depth) {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(depth) * static_cast<std::size_t>(indent), ' ');
  }
  void write(const Json& value, int depth) {
    if (value.is_null()) {
      out += "null";
    } else if (value.is_bool()) {
      out += value.boolean() ? "true" : "false";
    } else if (value.is_integer()) {
      out += std::to_string(value.integer());
    } else if (value.is_number()) {
      append_number(out, value.number());
    } else if (value.is_text()) {
      append_quoted(out, value.text());
    } else if (value.is_array()) {
      write_array(value.items(), depth);
    } else {
      write_object(value.members(), depth);
    }
  }
  void write_array(const Json::Array& items, int depth) {
    out += '[';
    for (const Json& item : items) {
      if (&item != items.data()) out += ',';
      line(depth + 1);
      write(item, depth + 1);
    }
    if (!items.empty()) line(depth);
    out += ']';
  }
  void write_object(const Json::Object& members, int depth) {
    std::vector<const Json::Member*> order;
    order.reserve(members.size());
    for (const auto& member : members) order.push_back(&member);
    if (sorted) std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->first < b->first; });
    out += '{';
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0) out += ',';
      line(depth + 1);
      append_quoted(out, order[i]->first);
      out += indent > 0 ? ": " : ":";
      write(order[i]->second, depth + 1);
    }
    if (!order.empty()) line(depth);
    out += '}';
  }
};

}  // namespace

Json Json::object(std::initializer_list<Member> members) {
  Json result;
  result.value_ = Object();
  for (const auto& [key, value] : members) result.set(key, value);
  return result;
}

bool Json::is_empty() const {
  if (is_null()) return true;
  if (is_bool()) return !boolean();
  if (is_number()) return number() == 0;
  if (is_text()) return text().empty();
  return size() == 0;
}

bool Json::boolean(bool fallback) const {
  const bool* value = std::get_if<bool>(&value_);
  return value ? *value : fallback;
}

std::int64_t Json::integer(std::int64_t fallback) const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  const auto* value = std::get_if<double>(&value_);
  if (!value || !(std::abs(*value) < 9.2e18)) return fallback;
  return static_cast<std::int64_t>(*value);
}

double Json::number(double fallback) const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  const auto* value = std::get_if<double>(&value_);
  return value ? *value : fallback;
}

std::string_view Json::text(std::string_view fallback) const {
  const auto* value = std::get_if<std::string>(&value_);
  return value ? std::string_view(*value) : fallback;
}

const Json::Array& Json::items() const {
  const auto* value = std::get_if<Array>(&value_);
  return value ? *value : kNoItems;
}

const Json::Object& Json::members() const {
  const auto* value = std::get_if<Object>(&value_);
  return value ? *value : kNoMembers;
}

const Json& Json::operator[](std::string_view key) const {
  const Member* found = find(members(), key);
  return found ? found->second : kNull;
}

const Json& Json::at(std::string_view path) const {
  const Json* here = this;
  while (true) {
    const std::size_t dot = path.find('.');
    here = &(*here)[path.substr(0, dot)];
    if (dot == std::string_view::npos) return *here;
    path.remove_prefix(dot + 1);
  }
}

bool Json::contains(std::string_view key) const {
  return find(members(), key) != nullptr;
}

std::size_t Json::size() const {
  return is_array() ? items().size() : members().size();
}

Json& Json::slot(std::string_view key) {
  if (is_null()) value_ = Object();
  auto& object = std::get<Object>(value_);
  if (const Member* found = find(object, key)) return const_cast<Member*>(found)->second;
  return object.emplace_back(std::string(key), Json()).second;
}

Json& Json::set(std::string_view key, Json value) {
  return slot(key) = std::move(value);
}

void Json::erase(std::string_view key) {
  if (auto* object = std::get_if<Object>(&value_))
    std::erase_if(*object, [&](const Member& m) { return m.first == key; });
}

Json& Json::push(Json value) {
  if (is_null()) value_ = Array();
  return std::get<Array>(value_).emplace_back(std::move(value));
}

bool operator==(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number())
    return a.is_integer() && b.is_integer() ? a.integer() == b.integer() : a.number() == b.number();
  if (a.value_.index() != b.value_.index()) return false;
  if (a.is_object()) {
    if (a.size() != b.size()) return false;
    return std::all_of(a.members().begin(), a.members().end(),
                       [&](const Json::Member& m) { return b.contains(m.first) && b[m.first] == m.second; });
  }
  return a.value_ == b.value_;
}

std::string Json::dump(int indent) const {
  std::string out;
  Writer{out, indent, false}.write(*this, 0);
  return out;
}

std::string Json::canonical() const {
  std::string out;
  Writer{out, 0, true}.write(*this, 0);
  return out;
}

Result<Json> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.bytes)
    return fail(Code::invalid, "JSON text of " + std::to_string(text.size()) + " bytes, at most " +
                                   std::to_string(limits.bytes) + " are read");
  boost::json::parse_options options;
  options.max_depth = limits.depth;
  boost::json::basic_parser<Builder> parser(options);
  boost::json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  std::string_view rest = text.substr(used);
  if (!error && rest.find_first_not_of(" \t\r\n") != std::string_view::npos)
    return fail(Code::invalid, "JSON text goes on after its value at offset " + std::to_string(used));
  if (error) return fail(Code::invalid, "not JSON: " + error.message() + " at offset " + std::to_string(used));
  return std::move(parser.handler().root);
}

std::string quote_json(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

}  // namespace berth
