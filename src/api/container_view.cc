#include "api/container_view.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/text.h"
#include "engine/usage.h"

namespace berth::api {
namespace {

constexpr std::string_view kProject = "com.docker.compose.project";
constexpr std::string_view kService = "com.docker.compose.service";

std::string without_slash(std::string_view name) {
  return std::string(name.starts_with('/') ? name.substr(1) : name);
}

// "Up 2 hours (healthy)".
std::string health_of(std::string_view status) {
  for (const std::string_view word : {"healthy", "unhealthy"})
    if (status.ends_with("(" + std::string(word) + ")")) return std::string(word);
  return status.ends_with("(health: starting)") ? "starting" : "";
}

// "Exited (137) 2 minutes ago"; null while it runs.
Json exit_code_of(std::string_view status) {
  constexpr std::string_view kExited = "Exited (";
  if (!status.starts_with(kExited)) return {};
  status.remove_prefix(kExited.size());
  int code = 0;
  const auto parsed = std::from_chars(status.data(), status.data() + status.size(), code);
  return parsed.ec == std::errc() ? Json(code) : Json();
}

Json networks_of(const Json& networks) {
  Json out = Json::array();
  for (const auto& [name, endpoint] : networks.members())
    out.push(Json::object({{"name", name}, {"ip", endpoint["IPAddress"].text()}}));
  return out;
}

std::string port_text(std::string_view ip, std::int64_t host, std::int64_t inside, std::string_view protocol) {
  std::string out;
  if (host > 0) {
    const bool v6 = ip.find(':') != std::string_view::npos;
    if (!ip.empty()) out += v6 ? "[" + std::string(ip) + "]:" : std::string(ip) + ":";
    out += std::to_string(host) + ":";
  }
  return out + std::to_string(inside) + "/" + std::string(protocol.empty() ? "tcp" : protocol);
}

Json texts(const std::vector<std::string>& values) {
  Json out = Json::array();
  for (const auto& value : values) out.push(value);
  return out;
}

Json environment_of(const Json& config, bool values) {
  Json out = Json::array();
  for (const Json& line : config["Env"].items()) {
    const Cut parts = cut(line.text(), '=');
    out.push(Json::object({{"name", parts.before}, {"value", values ? Json(parts.after) : Json()}}));
  }
  return out;
}

Json mounts_of(const Json& mounts) {
  Json out = Json::array();
  for (const Json& mount : mounts.items())
    out.push(Json::object({{"type", mount["Type"].text()},
                           {"name", mount["Name"].text()},
                           {"source", mount["Source"].text()},
                           {"target", mount["Destination"].text()},
                           {"readOnly", !mount["RW"].boolean(true)}}));
  return out;
}

Json health_log_of(const Json& health, bool output) {
  Json out = Json::array();
  for (const Json& entry : health["Log"].items())
    out.push(Json::object({{"at", milliseconds_of(entry["Start"].text())},
                           {"exitCode", entry["ExitCode"].integer()},
                           {"output", output ? Json(entry["Output"].text()) : Json()}}));
  return out;
}

std::vector<std::string> bindings_of(const Json& ports) {
  std::vector<std::string> out;
  for (const auto& [inside, bindings] : ports.members()) {
    const Cut parts = cut(inside, '/');
    std::int64_t port = 0;
    std::from_chars(parts.before.data(), parts.before.data() + parts.before.size(), port);
    if (bindings.size() == 0) out.push_back(port_text("", 0, port, parts.after));
    for (const Json& binding : bindings.items()) {
      std::int64_t host = 0;
      const std::string_view text = binding["HostPort"].text();
      std::from_chars(text.data(), text.data() + text.size(), host);
      if (binding["HostIp"].text() != "::") out.push_back(port_text(binding["HostIp"].text(), host, port, parts.after));
    }
  }
  return out;
}

Json command_of(const Json& inspect) {
  Json out = Json::array();
  out.push(inspect["Path"].text());
  for (const Json& argument : inspect["Args"].items()) out.push(argument);
  return out;
}

}  // namespace

std::int64_t nanoseconds_of(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const auto number = [&](std::size_t at, std::size_t count, int& out) {
    return text.size() >= at + count &&
           std::from_chars(text.data() + at, text.data() + at + count, out).ptr == text.data() + at + count;
  };
  if (!number(0, 4, year) || !number(5, 2, month) || !number(8, 2, day) || !number(11, 2, hour) ||
      !number(14, 2, minute) || !number(17, 2, second) || year < 1970 || year > 2200)
    return 0;
  const std::chrono::sys_days date = std::chrono::year(year) / month / day;
  std::int64_t nano = 0, scale = 100'000'000;
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.')
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      nano += (text[at] - '0') * scale;
  int offset = 0, hours = 0, minutes = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-') && number(at + 1, 2, hours) &&
      number(at + 4, 2, minutes))
    offset = (hours * 60 + minutes) * (text[at] == '-' ? 60 : -60);
  const std::int64_t days = date.time_since_epoch().count();
  return (((days * 24 + hour) * 60 + minute) * 60 + second + offset) * 1'000'000'000 + nano;
}

std::int64_t milliseconds_of(std::string_view text) {
  return nanoseconds_of(text) / 1'000'000;
}

std::vector<std::string> port_texts(const Json& ports) {
  std::vector<std::string> out;
  for (const Json& port : ports.items()) {
    if (port["IP"].text() == "::") continue;
    out.push_back(
        port_text(port["IP"].text(), port["PublicPort"].integer(), port["PrivatePort"].integer(), port["Type"].text()));
  }
  std::ranges::sort(out);
  return out;
}

ContainerItem container_item(const Json& summary) {
  const Json& labels = summary["Labels"];
  const std::string_view status = summary["Status"].text();
  const auto& names = summary["Names"].items();
  ContainerItem item{.id = std::string(summary["Id"].text()),
                     .name = names.empty() ? std::string() : without_slash(names.front().text()),
                     .project = std::string(labels[kProject].text()),
                     .service = std::string(labels[kService].text()),
                     .image = std::string(summary["Image"].text()),
                     .state = std::string(summary["State"].text()),
                     .health = health_of(status)};
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  item.shown = Json::object({{"id", item.id},
                             {"name", item.name},
                             {"project", text_or_null(item.project)},
                             {"service", text_or_null(item.service)},
                             {"image", item.image},
                             {"state", item.state},
                             {"status", status},
                             {"health", text_or_null(item.health)},
                             {"createdAt", summary["Created"].integer() * 1000},
                             {"ports", texts(port_texts(summary["Ports"]))},
                             {"networks", networks_of(summary.at("NetworkSettings.Networks"))},
                             {"labels", static_cast<std::int64_t>(labels.size())},
                             {"exitCode", exit_code_of(status)},
                             {"owner", labels.contains("berth.owner")}});
  return item;
}

Json container_page(const Json& inspect, Sight sight) {
  const Json &config = inspect["Config"], &state = inspect["State"], &host = inspect["HostConfig"];
  const Json& labels = config["Labels"];
  const auto text_or_null = [](std::string_view text) { return text.empty() ? Json() : Json(text); };
  const std::string_view status = state["Status"].text();
  return Json::object({{"id", inspect["Id"].text()},
                       {"name", without_slash(inspect["Name"].text())},
                       {"project", text_or_null(labels[kProject].text())},
                       {"service", text_or_null(labels[kService].text())},
                       {"image", config["Image"].text()},
                       {"imageId", inspect["Image"].text()},
                       {"state", status},
                       {"health", text_or_null(state.at("Health.Status").text())},
                       {"createdAt", milliseconds_of(inspect["Created"].text())},
                       {"startedAt", milliseconds_of(state["StartedAt"].text())},
                       {"finishedAt", milliseconds_of(state["FinishedAt"].text())},
                       {"ports", texts(bindings_of(inspect.at("NetworkSettings.Ports")))},
                       {"networks", networks_of(inspect.at("NetworkSettings.Networks"))},
                       {"labels", sight.values ? labels : Json()},
                       {"restarts", inspect["RestartCount"].integer()},
                       {"exitCode", status == "running" ? Json() : Json(state["ExitCode"].integer())},
                       {"oomKilled", state["OOMKilled"].boolean()},
                       {"owner", labels.contains("berth.owner")},
                       {"command", sight.values ? command_of(inspect) : Json()},
                       {"env", environment_of(config, sight.values)},
                       {"mounts", mounts_of(inspect["Mounts"])},
                       {"limits", Json::object({{"memory", host["Memory"].integer()},
                                                {"cpus", static_cast<double>(host["NanoCpus"].integer()) / 1e9}})},
                       {"restartPolicy", text_or_null(host.at("RestartPolicy.Name").text())},
                       {"tty", config["Tty"].boolean()},
                       {"user", config["User"].text()},
                       {"healthLog", health_log_of(state["Health"], sight.output)}});
}

Json stats_sample(const Json& stats) {
  const engine::Usage usage = engine::usage_of(stats);
  return Json::object({{"at", milliseconds_of(stats["read"].text())},
                       {"cpu", usage.cpu_percent},
                       {"memory", usage.memory},
                       {"memoryLimit", usage.memory_limit},
                       {"rx", usage.received},
                       {"tx", usage.sent},
                       {"read", usage.read},
                       {"write", usage.written},
                       {"pids", usage.processes}});
}

}  // namespace berth::api
