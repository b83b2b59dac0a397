#include "cli/oneoff.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "compose/short.h"

namespace berth::cli {
namespace {

Json list_of(const Texts& texts) {
  auto out = Json::array();
  for (const auto& text : texts) out.push(text);
  return out;
}

// "NAME=VALUE" texts over a mapping; a name alone is left to the project's environment.
void set_pairs(Json& config, std::string_view key, const Texts& texts) {
  for (const auto& text : texts) {
    const auto [name, value, found] = cut(text, '=');
    config.slot(key).set(name, found ? Json(value) : Json());
  }
}

Result<void> set_ports(Json& config, const RunFlags& flags) {
  if (!flags.service_ports) config.erase("ports");
  for (const auto& text : flags.publish)
    for (const auto& port : TRY(compose::parse_ports(text))) {
      auto one = Json::object({{"mode", "ingress"}, {"target", static_cast<int>(port.target)}});
      if (!port.host_ip.empty()) one.set("host_ip", port.host_ip);
      if (!port.published.empty()) one.set("published", port.published);
      one.set("protocol", port.protocol);
      config.slot("ports").push(std::move(one));
    }
  return {};
}

Result<void> set_volumes(Json& config, const RunFlags& flags) {
  for (const auto& text : flags.volumes) {
    const auto mount = TRY(compose::parse_volume(text));
    auto one = Json::object({{"type", mount.bind ? "bind" : "volume"}});
    if (!mount.source.empty()) one.set("source", mount.source);
    one.set("target", mount.target);
    if (mount.read_only) one.set("read_only", true);
    if (mount.bind) one.set("bind", Json::object({{"create_host_path", true}}));
    config.slot("volumes").push(std::move(one));
  }
  return {};
}

}  // namespace

Result<compose::Service> oneoff_service(const compose::Service& service, const RunFlags& flags, const Texts& command,
                                        bool tty) {
  auto out = service;
  auto& config = out.config;
  for (const char* key : {"restart", "container_name", "scale", "deploy"}) config.erase(key);
  if (!command.empty()) config.set("command", list_of(command));
  if (flags.entrypoint) {
    config.set("entrypoint", list_of(TRY(split_words(*flags.entrypoint))));
    if (command.empty()) config.set("command", Json::array());
  }
  set_pairs(config, "environment", flags.environment);
  set_pairs(config, "labels", flags.labels);
  if (!flags.user.empty()) config.set("user", flags.user);
  if (!flags.working_dir.empty()) config.set("working_dir", flags.working_dir);
  if (!flags.name.empty()) config.set("container_name", flags.name);
  for (const auto& name : flags.cap_add) config.slot("cap_add").push(name);
  for (const auto& name : flags.cap_drop) config.slot("cap_drop").push(name);
  TRY(set_ports(config, flags));
  TRY(set_volumes(config, flags));
  config.set("tty", tty);
  config.set("stdin_open", flags.interactive && !flags.detach);
  return out;
}

Result<plan::Plan> without_service(const plan::Plan& plan, const std::string& service) {
  plan::PlanBuilder builder(plan.project);
  builder.plan().warnings = plan.warnings;
  builder.plan().foreign = plan.foreign;
  builder.plan().again = plan.again;
  std::map<int, int> kept;  // old id -> new id
  for (const auto& node : plan.nodes) {
    const bool own = node.subject.starts_with("service:" + service + ":") || node.subject == "service:" + service;
    const bool lost = std::ranges::any_of(node.after, [&](int id) { return !kept.contains(id); });
    if (own || lost) continue;
    auto copy = node;
    for (auto& id : copy.after) id = kept[id];
    std::visit(
        [&](auto& op) {
          if constexpr (requires { op.container.created_by; })
            if (op.container.created_by > 0) op.container.created_by = kept[op.container.created_by];
          if constexpr (requires { op.fills; })
            for (auto& fill : op.fills) fill.from = kept[fill.from];
        },
        copy.op);
    kept[node.id] = builder.add(std::move(copy));
  }
  return builder.take();
}

}  // namespace berth::cli
