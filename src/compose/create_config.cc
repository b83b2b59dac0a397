#include <array>
#include <charconv>

#include "base/text.h"
#include "compose/create_parts.h"

namespace berth::compose::detail {
namespace {

std::string scalar_text(const Json& value) {
  return value.is_text() ? std::string(value.text()) : value.canonical();
}

void add_environment(Draft& draft) {
  Json list = Json::array();
  // A variable without a value takes the image's away, as a bare name does in the API.
  for (const auto& [name, value] : draft.config["environment"].members())
    list.push(value.is_null() ? name : name + '=' + scalar_text(value));
  put(draft.request.desired, "Env", std::move(list));
}

Result<int> port_number(const Draft& draft, std::string_view attribute, std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    return complain(draft, attribute, '"' + std::string(text) + "\" is not a port");
  return port;
}

// "3000", "3000/udp", "3000-3005"
Result<void> expose(const Draft& draft, std::string_view text, Json& ports) {
  const auto [range, protocol, with_protocol] = cut(text, '/');
  const auto [first, last, is_range] = cut(range, '-');
  const int from = TRY(port_number(draft, "expose", first));
  const int to = is_range ? TRY(port_number(draft, "expose", last)) : from;
  for (int port = from; port <= to; ++port)
    ports.set(std::to_string(port) + '/' + std::string(with_protocol ? protocol : "tcp"), Json::object());
  return {};
}

Result<void> add_ports(Draft& draft) {
  Json exposed = Json::object();
  for (const Json& item : draft.config["expose"].items()) TRY(expose(draft, scalar_text(item), exposed));
  Json bindings = Json::object();
  for (const Json& item : draft.config["ports"].items()) {
    const std::string port = scalar_text(item["target"]) + '/' + std::string(item["protocol"].text("tcp"));
    exposed.set(port, Json::object());
    const std::string published = item["published"].is_null() ? "" : scalar_text(item["published"]);
    Json& list = bindings.slot(port);
    list.push(Json::object({{"HostIp", item["host_ip"].text()}, {"HostPort", published}}));
  }
  put(draft.request.desired, "ExposedPorts", std::move(exposed));
  put(draft.host, "PortBindings", std::move(bindings));
  return {};
}

Result<void> add_health(Draft& draft) {
  const Json& check = draft.config["healthcheck"];
  if (check.is_null()) return {};
  if (check["disable"].boolean()) {
    draft.request.desired.set("Healthcheck", Json::object({{"Test", Json::array({"NONE"})}}));
    return {};
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTimes = {
      {{"interval", "Interval"},
       {"timeout", "Timeout"},
       {"start_period", "StartPeriod"},
       {"start_interval", "StartInterval"}}};
  Json health = Json::object();
  Json test = check["test"];
  if (test.is_text()) test = Json::array({"CMD-SHELL", test});
  put(health, "Test", std::move(test));
  put(health, "Retries", check["retries"]);
  for (const auto& [name, key] : kTimes)
    put(health, key, TRY(nanoseconds_of(draft, "healthcheck." + std::string(name), check[name])));
  if (health.contains("StartInterval") &&
      !may(draft, "healthcheck.start_interval", engine::Feature::healthcheck_start_interval))
    health.erase("StartInterval");
  put(draft.request.desired, "Healthcheck", std::move(health));
  return {};
}

}  // namespace

Result<void> add_config(Draft& draft) {
  const Json& config = draft.config;
  Json& body = draft.request.desired;
  body.set("Image", image_name(draft.input.project, draft.input.service));
  put(body, "Hostname", config["hostname"]);
  put(body, "Domainname", config["domainname"]);
  put(body, "User", config["user"].is_null() ? Json() : Json(scalar_text(config["user"])));
  put(body, "WorkingDir", config["working_dir"]);
  put(body, "StopSignal", config["stop_signal"]);
  put(body, "Tty", config["tty"]);
  put(body, "OpenStdin", config["stdin_open"]);
  body.set("AttachStdin", false);
  body.set("AttachStdout", true);
  body.set("AttachStderr", true);
  put(body, "Cmd", config["command"]);
  // An empty list resets what the image has; null leaves it.
  if (config["entrypoint"].is_array()) body.set("Entrypoint", config["entrypoint"]);
  if (!config["stop_grace_period"].is_null()) {
    const auto nanoseconds = TRY(nanoseconds_of(draft, "stop_grace_period", config["stop_grace_period"]));
    constexpr std::int64_t kSecond = 1'000'000'000;
    body.set("StopTimeout", (nanoseconds + kSecond - 1) / kSecond);
  }
  add_environment(draft);
  TRY(add_ports(draft));
  return add_health(draft);
}

}  // namespace berth::compose::detail
