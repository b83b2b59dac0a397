#include "api/container_create.h"

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "engine/reference.h"

namespace berth::api {
namespace {

constexpr std::int64_t kLeastMemory = 6LL << 20;  // engines refuse less

bool is_name(std::string_view name) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  if (name.size() < 2 || name.size() > 128 || kFirst.find(name[0]) == std::string_view::npos) return false;
  return name.find_first_not_of(std::string(kFirst) + "_.-") == std::string_view::npos;
}

Result<int> port_number(std::string_view text, std::string_view whole) {
  int port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || port < 1 || port > 65535)
    return fail(Code::invalid,
                "port \"" + std::string(whole) + "\" is not HOST:CONTAINER with numbers from 1 to 65535");
  return port;
}

// "8080:80", "127.0.0.1:8080:80/udp", "80".
Result<void> add_port(const Json& port, Json& exposed, Json& bindings) {
  const std::string_view whole = port.text();
  const Cut protocol = cut(whole, '/');
  const std::string kind = protocol.found ? std::string(protocol.after) : "tcp";
  if (kind != "tcp" && kind != "udp")
    return fail(Code::invalid, "port \"" + std::string(whole) + "\" is neither tcp nor udp");
  const Cut inner = cut_last(protocol.before, ':');
  const int inside = TRY(port_number(inner.found ? inner.after : inner.before, whole));
  const std::string key = std::to_string(inside) + "/" + kind;
  exposed.set(key, Json::object());
  Json binding = Json::object({{"HostIp", ""}, {"HostPort", ""}});
  if (inner.found) {
    const Cut host = cut_last(inner.before, ':');
    binding.set("HostPort", std::to_string(TRY(port_number(host.found ? host.after : host.before, whole))));
    std::string ip(host.found ? host.before : "");
    if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
    binding.set("HostIp", ip);
  }
  if (!bindings.contains(key)) bindings.set(key, Json::array());
  bindings.slot(key).push(std::move(binding));
  return {};
}

Result<Json> environment_of(const Json& given) {
  Json out = Json::array();
  for (const auto& [name, value] : given.members()) {
    if (name.empty() || name.find('=') != std::string::npos || !value.is_text())
      return fail(Code::invalid, "env: \"" + name + "\" is not a name with a text");
    out.push(name + "=" + std::string(value.text()));
  }
  return out;
}

// Volumes of the engine only: a path of the host is root's to give.
Result<Json> mounts_of(const Json& given) {
  Json out = Json::array();
  for (const Json& volume : given.items()) {
    const auto parts = split(volume.text(), ':');
    const bool fine = (parts.size() == 2 || (parts.size() == 3 && parts[2] == "ro")) && is_name(parts[0]) &&
                      parts[1].starts_with('/');
    if (!fine)
      return fail(Code::invalid, "volume \"" + std::string(volume.text()) +
                                     "\" is not NAME:/PATH or NAME:/PATH:ro; paths of the host cannot be given here");
    out.push(Json::object(
        {{"Type", "volume"}, {"Source", parts[0]}, {"Target", parts[1]}, {"ReadOnly", parts.size() == 3}}));
  }
  return out;
}

Result<Json> texts_of(const Json& given, std::string_view field) {
  Json out = Json::array();
  for (const Json& each : given.items()) {
    if (!each.is_text()) return fail(Code::invalid, std::string(field) + ": not a list of texts");
    out.push(each);
  }
  return out;
}

Result<void> add_limits(const Json& fields, const CreateLimits& limits, Json& host) {
  const std::int64_t memory = fields["memory"].integer(limits.memory);
  const double cpus = fields["cpus"].number(limits.cpus);
  TRY(check_limits({.memory = memory, .cpus = cpus}));
  host.set("Memory", memory);
  host.set("MemorySwap", memory);  // no swap beyond it
  host.set("NanoCpus", static_cast<std::int64_t>(cpus * 1e9));
  host.set("PidsLimit", 4096);
  return {};
}

Result<void> add_restart(const Json& fields, Json& host) {
  const std::string_view policy = fields["restart"].text("no");
  if (policy != "no" && policy != "always" && policy != "unless-stopped" && policy != "on-failure")
    return fail(Code::invalid,
                "restart: \"" + std::string(policy) + "\" is not no, always, unless-stopped or on-failure");
  host.set("RestartPolicy", Json::object({{"Name", policy}}));
  return {};
}

}  // namespace

Result<void> check_limits(const CreateLimits& limits) {
  if (limits.memory < kLeastMemory)
    return fail(Code::invalid,
                "memory: " + std::to_string(limits.memory) + " bytes are less than the 6 MiB that engines want");
  if (!std::isfinite(limits.cpus) || limits.cpus < 0.01 || limits.cpus > 1024)
    return fail(Code::invalid, "cpus: not from 0.01 to 1024");
  return {};
}

Result<CreateOrder> create_order(const Json& fields, const CreateLimits& limits) {
  CreateOrder order{.image = TRY(engine::parse_reference(fields["image"].text())).text(),
                    .name = std::string(fields["name"].text()),
                    .pull = fields["pull"].boolean(true)};
  if (!order.name.empty() && !is_name(order.name))
    return fail(Code::invalid, "name: \"" + order.name + "\" is not letters, digits, _ . and - beginning with one");
  Json exposed = Json::object(), bindings = Json::object(), host = Json::object();
  for (const Json& port : fields["ports"].items()) TRY(add_port(port, exposed, bindings));
  TRY(add_limits(fields, limits, host));
  TRY(add_restart(fields, host));
  host.set("PortBindings", std::move(bindings));
  host.set("Mounts", TRY(mounts_of(fields["volumes"])));
  order.body = Json::object({{"Image", order.image},
                             {"Env", TRY(environment_of(fields["env"]))},
                             {"ExposedPorts", std::move(exposed)},
                             {"Labels", Json::object()}});
  if (fields["command"].size() > 0) order.body.set("Cmd", TRY(texts_of(fields["command"], "command")));
  const Json networks = TRY(texts_of(fields["networks"], "networks"));
  if (networks.size() > 0) {
    host.set("NetworkMode", networks.items().front());
    order.body.set("NetworkingConfig",
                   Json::object({{"EndpointsConfig",
                                  Json::object({{std::string(networks.items().front().text()), Json::object()}})}}));
  }
  if (networks.size() > 1) return fail(Code::invalid, "networks: one can be named here; connect others afterwards");
  for (const char* kind : {"host", "none"})
    if (networks.size() > 0 &&
        (networks.items().front().text() == kind || networks.items().front().text().starts_with("container:")))
      return fail(Code::invalid, "networks: the namespaces of the host and of others cannot be given here");
  order.body.set("HostConfig", std::move(host));
  return order;
}

}  // namespace berth::api
