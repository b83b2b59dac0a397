#include <array>

#include "plan/diff_fields.h"

namespace berth::plan::detail {
namespace {

// Number -> name on Linux, for those that are used to stop things.
constexpr std::pair<std::string_view, std::string_view> kSignals[] = {
    {"1", "HUP"}, {"2", "INT"}, {"3", "QUIT"}, {"9", "KILL"}, {"10", "USR1"}, {"12", "USR2"}, {"15", "TERM"}};

std::string signal_name(std::string_view text) {
  std::string name;
  for (const char c : text) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (const auto& [number, known] : kSignals)
    if (name == number) name = known;
  return name == "TERM" ? "" : name;
}

std::map<std::string, Json> pairs_of(const Json& list) {
  std::map<std::string, Json> pairs;
  for (const Json& item : list.items()) {
    const std::string_view text = item.text();
    const std::size_t equals = text.find('=');
    // A bare name in a body removes what the image has.
    pairs.insert_or_assign(std::string(text.substr(0, equals)),
                           equals == std::string_view::npos ? Json() : Json(text.substr(equals + 1)));
  }
  return pairs;
}

// What stands in the container beyond the image; null for a name of the image that was taken away.
void add_environment(const Shape& shape, Fields& fields) {
  const auto supplied = pairs_of(shape.image["Env"]);
  const auto wanted = pairs_of(shape.config["Env"]);
  for (const auto& [name, value] : wanted) {
    const auto found = supplied.find(name);
    if (found == supplied.end() ? !value.is_null() : !(found->second == value))
      fields["Env." + name] = value.is_null() ? Json(Json::array()) : value;
  }
  if (!shape.inspected) return;
  for (const auto& [name, value] : supplied)
    if (!wanted.contains(name)) fields["Env." + name] = Json::array();
}

const Json& effective(const Shape& shape, std::string_view key) {
  const Json& own = shape.config[key];
  return shape.inspected || !own.is_empty() ? own : shape.image[key];
}

// As the engine merges: an image's Cmd counts only where the body has no entrypoint; an empty list resets.
void add_command(const Shape& shape, Fields& fields) {
  const Json& entrypoint = shape.config["Entrypoint"];
  Json cmd = shape.config["Cmd"];
  if (!shape.inspected && cmd.is_empty() && entrypoint.is_empty()) cmd = shape.image["Cmd"];
  put(fields, "Cmd", std::move(cmd));
  const bool inherits = !shape.inspected && entrypoint.is_null();
  Json effective_entrypoint = inherits ? shape.image["Entrypoint"] : entrypoint;
  // [""] is how some tools write "no entrypoint".
  if (effective_entrypoint.size() == 1 && effective_entrypoint.items()[0].text() == "") effective_entrypoint = Json();
  put(fields, "Entrypoint", std::move(effective_entrypoint));
}

void add_health(const Shape& shape, Fields& fields) {
  static constexpr std::array<std::string_view, 6> kParts = {"Test",    "Interval",    "Timeout",
                                                             "Retries", "StartPeriod", "StartInterval"};
  const Json& own = shape.config["Healthcheck"];
  const Json& supplied = shape.image["Healthcheck"];
  const Json& test = own["Test"].is_empty() ? supplied["Test"] : own["Test"];
  const bool none = test.is_empty() || test.items()[0].text() == "NONE";
  if (none) {
    if (!supplied["Test"].is_empty()) fields["Healthcheck.Test"] = Json::array({"NONE"});
    return;
  }
  for (const std::string_view part : kParts)
    put(fields, "Healthcheck." + std::string(part),
        !shape.inspected && own[part].is_empty() ? supplied[part] : own[part]);
}

bool is_tool_label(std::string_view name) {
  for (const std::string_view prefix : {"com.docker.compose.", "desktop.docker.io/", "com.docker.desktop."})
    if (name.starts_with(prefix)) return true;
  return name == label::kContent || name == label::kSchema || name == label::kBodyHash;
}

void add_labels(const Shape& shape, Fields& fields) {
  const Json& labels = shape.config["Labels"];
  for (const auto& [name, value] : labels.members()) {
    if (is_tool_label(name)) continue;
    const bool supplied = shape.image["Labels"].contains(name) && shape.image["Labels"][name] == value;
    if (!supplied) fields["Labels." + name] = value;
  }
  const std::string_view digests = labels[label::kContent].text();
  if (digests.empty()) return;
  const auto content = parse_json(digests);
  if (!content) return;
  for (const auto& [target, digest] : content->members()) fields["Content." + target] = digest;
}

std::string port_with_protocol(std::string_view port) {
  return std::string(port) + (port.find('/') == std::string_view::npos ? "/tcp" : "");
}

// What is published is exposed anyway.
void add_exposed(const Shape& shape, Fields& fields) {
  const Json& supplied = shape.image["ExposedPorts"];
  for (const auto& member : shape.config["ExposedPorts"].members()) {
    const std::string port = port_with_protocol(member.first);
    if (!supplied.contains(port) && !shape.host["PortBindings"].contains(port)) fields["ExposedPorts." + port] = true;
  }
}

std::string without_slash(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return std::string(path);
}

void add_hostname(const Shape& shape, Fields& fields) {
  const std::string_view name = shape.config["Hostname"].text();
  // Engines give every container a name: the first digits of its id, or that of the namespace it shares.
  const bool given =
      shape.inspected && (shape.id.substr(0, 12) == name || shape.host["NetworkMode"].text().starts_with("container:"));
  if (!given) put(fields, "Hostname", name);
  put(fields, "Domainname", shape.config["Domainname"]);
}

}  // namespace

void add_config(const Shape& shape, Fields& fields) {
  add_hostname(shape, fields);
  put(fields, "User", effective(shape, "User"));
  put(fields, "WorkingDir", without_slash(effective(shape, "WorkingDir").text()));
  put(fields, "StopSignal", signal_name(effective(shape, "StopSignal").text()));
  for (const std::string_view key : {"Tty", "OpenStdin", "MacAddress"})
    put(fields, std::string(key), shape.config[key]);
  // 0 is a value here: kill at once. Absent is the engine's 10 s.
  const Json& grace = shape.config["StopTimeout"];
  if (!grace.is_null() && grace.integer() != 10) fields["StopTimeout"] = grace;
  add_environment(shape, fields);
  add_command(shape, fields);
  add_health(shape, fields);
  add_labels(shape, fields);
  add_exposed(shape, fields);
}

}  // namespace berth::plan::detail
