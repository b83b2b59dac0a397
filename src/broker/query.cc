#include "broker/query.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "broker/body.h"
#include "http/url.h"

namespace berth::broker {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() <= 19 && is_digits(text);
}

// As engines read switches, plus Python's spelling.
bool is_switch(std::string_view text) {
  constexpr std::string_view kWords[] = {"", "0", "1", "true", "false", "True", "False", "no", "yes", "none"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

bool is_text(std::string_view text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t'; };
  return text.size() <= 16u << 10 && std::none_of(text.begin(), text.end(), control) && parse_json(quote_json(text)) &&
         parse_json(quote_json(text))->text() == text;
}

// `ps` with options of the caller shows the environment of processes ("axe"): only columns that do not.
bool is_ps(std::string_view text) {
  constexpr std::string_view kForms[] = {"", "-ef", "aux", "-aux", "ax", "-eo", "-o", "o", "-A"};
  constexpr std::string_view kColumns[] = {"pid",   "ppid",  "pgid", "uid",  "user",  "gid",    "group",
                                           "comm",  "cmd",   "args", "time", "etime", "pcpu",   "%cpu",
                                           "pmem",  "%mem",  "rss",  "vsz",  "tty",   "stat",   "s",
                                           "stime", "start", "nice", "ni",   "pri",   "command"};
  const Cut parts = cut(text, ' ');
  const auto known = [&](std::string_view column) {
    return std::find(std::begin(kColumns), std::end(kColumns), column) != std::end(kColumns);
  };
  if (std::find(std::begin(kForms), std::end(kForms), parts.before) == std::end(kForms)) return false;
  const bool lists = parts.before.ends_with('o');
  if (!parts.found) return !lists;
  const auto columns = split(parts.after, ',');
  return lists && std::all_of(columns.begin(), columns.end(), known);
}

// {"label": ["a=b"]} or, as older clients send it, {"label": {"a=b": true}}; goes on in the first form.
Result<std::string> filters_of(std::string_view text) {
  if (text.empty()) return std::string();
  const Json value = TRY(parse_strict(text));
  if (value.is_null()) return std::string();
  if (!value.is_object()) return fail(Code::invalid, "is not an object");
  Json out = Json::object();
  for (const auto& [name, given] : value.members()) {
    Json list = Json::array();
    for (const Json& each : given.items()) {
      if (!each.is_text()) return fail(Code::invalid, "holds something that is not a text");
      list.push(each);
    }
    for (const auto& [each, is_on] : given.members())
      if (is_on.boolean()) list.push(each);
    if (!given.is_array() && !given.is_object())
      return fail(Code::invalid, "\"" + name.substr(0, 40) + "\" is no list");
    out.members_mut().emplace_back(name, std::move(list));
  }
  return out.dump();
}

Result<std::string> json_of(std::string_view text) {
  if (text.empty()) return std::string();
  return TRY(parse_strict(text)).dump();
}

/// A kind's letter, what the value goes on as, and the rule that it breaks.
class Reader {
 public:
  Reader(std::string_view name, Findings& findings) : name_(name), findings_(findings) {}
  Result<std::string> read(char kind, const std::string& value) const {
    switch (kind) {
      case 'b':
        return expect(is_switch(value), "a switch", value);
      case 'i':
        return expect(value.empty() || is_integer(value), "a whole number", value);
      case 'f':
        return filters_of(value);
      case 'j':
        return json_of(value);
      case 'C':
        return expect(value.empty() || is_name(value.starts_with('/') ? value.substr(1) : value), "a name", value);
      case 'I':
        return expect(value.empty() || is_image_name(value), "an image's name", value);
      case 'P':
        return expect(is_ps(value), "options of ps that show no environment", value);
      case 'E':
        return expect(value.empty() || value == "default", "empty, which it must be", value);
      case 'S':  // an address would make the engine connect there
        return expect(value.empty() || value == "-", "\"-\", the request's body", value);
      case 'R':
        return expect(value.empty(), "empty: send the context itself", value);
      case 'V':
        return expect(value.empty() || value == "1" || value == "2", "1 or 2", value);
      default:
        return judge(kind, value);
    }
  }

 private:
  Result<std::string> expect(bool good, std::string_view what, const std::string& value) const {
    if (good && is_text(value)) return value;
    return fail(Code::invalid, "is not " + std::string(what));
  }
  Result<std::string> judge(char kind, const std::string& value) const {
    if (!is_text(value)) return fail(Code::invalid, "holds control bytes or is no UTF-8");
    if (kind == 'N') {
      if (value == "host" || value.contains(':')) add("host-network", value);
    } else if (kind == 'A') {  // a frontend of the caller's choice would read and write as the builder
      const std::string text = TRY(json_of(value));
      const Json arguments = TRY(parse_json(text.empty() ? "{}" : text));
      if (arguments.contains("BUILDKIT_SYNTAX")) return fail(Code::invalid, "names another frontend");
      return text;
    } else if (kind == 'J') {
      const std::string text = TRY(json_of(value));
      for (const Json& each : TRY(parse_json(text.empty() ? "[]" : text)).items())
        add("security-options", std::string(each.text()));
      return text;
    }
    return value;
  }
  void add(std::string_view rule, const std::string& value) const {
    findings_.push_back({std::string(rule), value, std::string(name_)});
  }

  std::string_view name_;
  Findings& findings_;
};

// dockerode says its options twice, as parameters and in the body. Engines do not read the others' half, and none of it
// goes on.
bool repeats_body(const Operation& operation, std::string_view name) {
  const Shape shape = shape_of(operation.body);
  return std::any_of(shape.begin(), shape.end(), [&](const Field& field) { return field.name == name; });
}

}  // namespace

Result<Query> read_query(const Operation& operation, std::string_view text, Findings& findings) {
  Query out;
  if (text.empty()) return out;
  if (text.contains(';')) return fail(Code::invalid, "a query with ';'");
  const auto given = TRY(http::decode_query(text));
  if (given.size() > 64) return fail(Code::invalid, "more than 64 parameters");
  for (const auto& [name, value] : given) {
    const char kind = operation.kind_of(name);
    if (name.empty() && value.empty()) continue;
    if (kind == 'X' || (kind == 0 && repeats_body(operation, name))) continue;
    if (kind == 0) return fail(Code::invalid, "\"" + name.substr(0, 40) + "\" is not a parameter of this operation");
    const bool twice = std::any_of(out.begin(), out.end(), [&](const auto& pair) { return pair.first == name; });
    if (twice && kind != 'l') return fail(Code::invalid, "\"" + name + "\" comes twice");
    auto read = Reader(name, findings).read(kind, value);
    if (!read) return fail(Code::invalid, "\"" + name + "\" " + read.error().message);
    out.emplace_back(name, *std::move(read));
  }
  return out;
}

std::string registry_of(std::string_view image) {
  const Cut parts = cut(image, '/');
  // As engines divide references: capitals make a host of it too, since no repository has them.
  const bool capitals = lower(parts.before) != parts.before;
  const bool host = parts.found && (parts.before.contains('.') || parts.before.contains(':') || capitals ||
                                    parts.before == "localhost");
  return host ? std::string(parts.before) : "docker.io";
}

}  // namespace berth::broker
