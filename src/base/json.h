// A JSON value with ordered members: what the engine, Compose and berth's own output speak.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace berth {

/// RFC 8259 value. Objects keep the order of insertion and have unique keys (on parsing, the last duplicate wins).
/// The reading accessors are total: a missing member or a value of another type reads as null, empty or the fallback,
/// which is how a client reads replies of engines of many versions.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(long value) : value_(std::int64_t{value}) {}
  Json(long long value) : value_(std::int64_t{value}) {}
  Json(unsigned value) : value_(std::int64_t{value}) {}
  Json(unsigned long value) : value_(static_cast<std::int64_t>(value)) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  static Json array(std::initializer_list<Json> items = {}) { return Json(Array(items)); }
  static Json object(std::initializer_list<Member> members = {});

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_text() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  /// Null, false, 0, "", [] or {}: what an engine leaves out or fills in by default.
  bool is_empty() const;

  bool boolean(bool fallback = false) const;
  std::int64_t integer(std::int64_t fallback = 0) const;
  double number(double fallback = 0) const;
  /// Empty when it is not text; the view lives as long as this value.
  std::string_view text(std::string_view fallback = {}) const;
  const Array& items() const;
  const Object& members() const;
  /// The member, or a null value; never inserts.
  const Json& operator[](std::string_view key) const;
  /// `path` is a list of keys divided by dots, for keys without a dot: "State.Health.Status".
  const Json& at(std::string_view path) const;
  bool contains(std::string_view key) const;
  std::size_t size() const;

  /// Turns a null into an object. REQUIRES: null or object.
  Json& set(std::string_view key, Json value);
  /// The member for writing, inserted as null when absent; turns a null into an object.
  Json& slot(std::string_view key);
  void erase(std::string_view key);
  /// Turns a null into an array. REQUIRES: null or array.
  Json& push(Json value);
  /// For writing in place. REQUIRES: array.
  Array& items_mut() { return std::get<Array>(value_); }
  /// For writing in place. REQUIRES: object; keys stay unique.
  Object& members_mut() { return std::get<Object>(value_); }

  /// Members in any order; 1 equals 1.0.
  friend bool operator==(const Json& a, const Json& b);

  /// Compact text. `indent` > 0: one member a line.
  std::string dump(int indent = 0) const;
  /// Compact text with members sorted by key at every depth: equal values have equal texts.
  std::string canonical() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

struct JsonLimits {
  std::size_t bytes = 64u << 20;
  std::size_t depth = 100;
};
/// One JSON text (UTF-8). Code::invalid with the offset otherwise.
Result<Json> parse_json(std::string_view text, JsonLimits limits = {});
/// `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
std::string quote_json(std::string_view text);

}  // namespace berth
