#include "broker/body.h"

#include <algorithm>

#include "base/text.h"

namespace berth::broker {
namespace {

constexpr JsonLimits kLimits{.bytes = 16u << 20, .depth = 32};

// In a JSON text each member has exactly one ':' outside of its strings.
std::size_t count_colons(std::string_view text) {
  std::size_t count = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == ':') {
      ++count;
    }
  }
  return count;
}

std::size_t count_members(const Json& value) {
  std::size_t count = value.members().size();
  for (const auto& [name, member] : value.members()) count += count_members(member);
  for (const Json& item : value.items()) count += count_members(item);
  return count;
}

bool is_clean_text(const Json& value) {
  return value.is_text() && !value.text().contains('\0');
}

template <class Test>
bool all_items(const Json& value, Test test) {
  return value.is_array() && std::all_of(value.items().begin(), value.items().end(), test);
}

template <class Test>
bool all_members(const Json& value, Test test) {
  const auto good = [&](const Json::Member& member) { return !member.first.contains('\0') && test(member.second); };
  return value.is_object() && std::all_of(value.members().begin(), value.members().end(), good);
}

bool is_texts(const Json& value) {
  return all_items(value, is_clean_text);
}

// For the kinds without a shape.
bool fits(const Json& value, Kind kind) {
  switch (kind) {
    case Kind::flag:
      return value.is_bool();
    case Kind::whole:
      return value.is_integer();
    case Kind::number:
      return value.is_number();
    case Kind::text:
      return is_clean_text(value);
    case Kind::texts:
      return is_texts(value);
    case Kind::words:
      return is_clean_text(value) || is_texts(value);
    case Kind::text_lists:
      return all_items(value, is_texts);
    case Kind::wholes:
      return all_items(value, [](const Json& each) { return each.is_integer(); });
    case Kind::text_map:
      return all_members(value, is_clean_text);
    case Kind::key_set:
      return all_members(value,
                         [](const Json& each) { return each.is_null() || (each.is_object() && each.is_empty()); });
    default:
      return true;
  }
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::flag:
      return "true or false";
    case Kind::whole:
      return "an integer";
    case Kind::number:
      return "a number";
    case Kind::text:
      return "a text";
    case Kind::texts:
      return "an array of texts";
    case Kind::words:
      return "a text or an array of texts";
    case Kind::text_lists:
      return "an array of arrays of texts";
    case Kind::wholes:
      return "an array of integers";
    case Kind::text_map:
      return "an object of texts";
    case Kind::key_set:
      return "an object of empty objects";
    default:
      return "an object";
  }
}

class Examiner {
 public:
  Result<Json> object(const Json& value, Shape shape, const std::string& where);
  Result<Json> objects(const Json& value, Shape shape, const std::string& where);
  Findings findings;

 private:
  Result<Json> member(const Json& value, const Field& field, const std::string& where);
  Result<Json> keyed(const Json& value, const Field& field, const std::string& where);
};

Error wrong(const std::string& where, std::string_view what) {
  return {Code::invalid, (where.empty() ? "body" : where) + ": " + std::string(what)};
}

Result<Json> Examiner::object(const Json& value, Shape shape, const std::string& where) {
  if (!value.is_object()) return fail(wrong(where, "is not an object"));
  Json out = Json::object();
  for (const auto& [name, given] : value.members()) {
    const auto field = std::find_if(shape.begin(), shape.end(), [&](const Field& each) { return each.name == name; });
    const std::string place = where.empty() ? name.substr(0, 80) : where + "." + name.substr(0, 80);
    if (field == shape.end() && given.is_null() && !shape.empty() && shape.back().kind == Kind::others) continue;
    if (field == shape.end() || field->kind == Kind::others)
      return fail(wrong(place, "is not a known member (names are read with their case)"));
    if (given.is_null() || field->kind == Kind::dropped) continue;
    out.members_mut().emplace_back(name, TRY(member(given, *field, place)));
  }
  return out;
}

Result<Json> Examiner::objects(const Json& value, Shape shape, const std::string& where) {
  if (!value.is_array()) return fail(wrong(where, "is not an array"));
  Json out = Json::array();
  for (const Json& item : value.items())
    out.push(TRY(object(item, shape, where + "[" + std::to_string(out.size()) + "]")));
  return out;
}

Result<Json> Examiner::keyed(const Json& value, const Field& field, const std::string& where) {
  if (!value.is_object()) return fail(wrong(where, "is not an object"));
  Json out = Json::object();
  for (const auto& [name, given] : value.members()) {
    if (name.contains('\0')) return fail(wrong(where, "has a key with a NUL"));
    const std::string place = where + "." + name.substr(0, 80);
    Json inside;  // null, as clients write for what they leave to the engine
    if (!given.is_null())
      inside = field.kind == Kind::object_map ? TRY(object(given, field.shape, place))
                                              : TRY(objects(given, field.shape, place));
    out.members_mut().emplace_back(name, std::move(inside));
  }
  return out;
}

Result<Json> Examiner::member(const Json& value, const Field& field, const std::string& where) {
  Json out;
  if (field.kind == Kind::object) {
    out = TRY(object(value, field.shape, where));
  } else if (field.kind == Kind::objects) {
    out = TRY(objects(value, field.shape, where));
  } else if (field.kind == Kind::object_map || field.kind == Kind::object_lists) {
    out = TRY(keyed(value, field, where));
  } else if (fits(value, field.kind)) {
    out = value;
  } else {
    return fail(wrong(where, "is not " + std::string(name_of(field.kind))));
  }
  if (field.rule) field.rule(out, where, findings);
  return out;
}

Result<Json> parse_body(std::string_view name, std::string_view text) {
  if (text.empty() && !is_list(name)) return Json::object();
  return parse_strict(text);
}

Result<Examined> examine_value(std::string_view name, Json value) {
  if (value.is_null()) value = is_list(name) ? Json::array() : Json::object();
  Examiner examiner;
  Examined out;
  if (!is_list(name)) {
    out.body = TRY(examiner.object(value, shape_of(name), ""));
  } else if (shape_of(name).empty()) {
    if (!is_texts(value)) return fail(wrong("", "is not an array of texts"));
    out.body = std::move(value);
  } else {
    out.body = TRY(examiner.objects(value, shape_of(name), "body"));
  }
  if (const Rule rule = rule_of(name)) rule(out.body, "", examiner.findings);
  out.findings = std::move(examiner.findings);
  return out;
}

// What is a member of the body too stays.
void leave_out_parameters(const Operation& operation, Json& value) {
  if (!value.is_object()) return;
  const Shape shape = shape_of(operation.body);
  Json kept = Json::object();
  for (const auto& [name, given] : value.members()) {
    const bool is_member =
        std::any_of(shape.begin(), shape.end(), [&](const Field& each) { return each.name == name; });
    if (is_member || operation.kind_of(name) == 0) kept.members_mut().emplace_back(name, given);
  }
  value = std::move(kept);
}

}  // namespace

Result<Json> parse_strict(std::string_view text) {
  constexpr std::size_t kMostSpace = 64u << 10;
  if (text.size() > kMostSpace && trim(text.substr(0, kMostSpace)).empty())
    return fail(Code::invalid, "more than 64 KiB of white space");
  Json value = TRY(parse_json(text, kLimits));
  if (count_members(value) != count_colons(text)) return fail(Code::invalid, "an object has a key twice");
  return value;
}

Result<Examined> examine(std::string_view name, std::string_view text) {
  return examine_value(name, TRY(parse_body(name, text)));
}

Result<Examined> examine(const Operation& operation, std::string_view text) {
  Json value = TRY(parse_body(operation.body, text));
  leave_out_parameters(operation, value);
  return examine_value(operation.body, std::move(value));
}

bool says_nothing(const Operation& operation, std::string_view text) {
  const std::string_view word = trim(text);
  if (word.empty() || word == "null" || word == "{}" || word == "[]" || word == "\"\"") return true;
  auto value = parse_strict(text);
  if (!value || !value->is_object()) return false;
  leave_out_parameters(operation, *value);
  return value->is_empty();
}

bool has_labels(std::string_view name) {
  const Shape shape = shape_of(name);
  return std::any_of(shape.begin(), shape.end(), [](const Field& field) { return field.name == "Labels"; });
}

std::map<std::string, std::string> labels_of(std::string_view name, const Json& body) {
  std::map<std::string, std::string> out;
  if (!has_labels(name)) return out;
  for (const auto& [label, value] : body["Labels"].members()) out[label] = value.text();
  return out;
}

void set_label(Json& body, const std::string& label, const std::string& value) {
  body.slot("Labels").set(label, value);
}

}  // namespace berth::broker
