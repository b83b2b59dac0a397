// The rules about containers and services; those about volumes and networks are in rules_storage.cc.
#include "broker/rules.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "broker/bind.h"
#include "broker/operation.h"

namespace berth::broker::rule {
namespace {

void find(Findings& findings, std::string_view rule, std::string_view value, const std::string& where) {
  findings.push_back({std::string(rule), std::string(value), where});
}

template <std::size_t N>
bool one_of(std::string_view text, const std::string_view (&known)[N]) {
  return std::find(std::begin(known), std::end(known), text) != std::end(known);
}

// A namespace of a kind: its own ones pass, the host's and another container's need a grant; anything else is a text
// whose meaning here is unknown.
void mode(const Json& value, const std::string& where, Findings& findings, std::string_view host_rule) {
  const std::string_view text = value.text();
  constexpr std::string_view kOwn[] = {"", "private", "none", "shareable"};
  if (one_of(text, kOwn)) return;
  const Cut parts = cut(text, ':');
  if (parts.before == "container" && is_name(parts.after)) {
    find(findings, "container-namespaces", parts.after, where);
  } else {
    find(findings, host_rule, text, where);
  }
}

// What an engine gives every container.
constexpr std::string_view kUsualCapabilities[] = {"AUDIT_WRITE", "CHOWN",   "DAC_OVERRIDE",     "FOWNER",    "FSETID",
                                                   "KILL",        "MKNOD",   "NET_BIND_SERVICE", "NET_RAW",   "SETFCAP",
                                                   "SETGID",      "SETPCAP", "SETUID",           "SYS_CHROOT"};

constexpr std::string_view kSafeSecurity[] = {
    "no-new-privileges",       "no-new-privileges:true", "no-new-privileges=true", "apparmor=docker-default",
    "apparmor:docker-default", "seccomp=builtin",        "seccomp:builtin"};

// Of those drivers. Without a driver's name the options are for the engine's own, which may be any.
constexpr std::string_view kLogOptions[] = {
    "max-size",       "max-file",      "compress", "labels",          "labels-regex",   "env",
    "env-regex",      "tag",           "mode",     "max-buffer-size", "cache-disabled", "cache-max-size",
    "cache-max-file", "cache-compress"};

constexpr std::string_view kLogDrivers[] = {"", "json-file", "local", "none", "journald"};

}  // namespace

void privileged(Json& value, const std::string& where, Findings& findings) {
  if (value.boolean()) find(findings, "privileged", "", where);
}

void network_mode(Json& value, const std::string& where, Findings& findings) {
  const std::string_view text = value.text();
  const Cut parts = cut(text, ':');
  if (parts.found && parts.before == "container" && is_name(parts.after)) {
    find(findings, "container-namespaces", parts.after, where);
  } else if (text == "host" || (!text.empty() && !is_name(text))) {
    find(findings, "host-network", text, where);
  }
}

void service_network(Json& value, const std::string& where, Findings& findings) {
  if (value.text() == "host" || !is_name(value.text()))
    find(findings, "host-network", value.text().substr(0, 64), where);
}

void pid_mode(Json& value, const std::string& where, Findings& findings) {
  mode(value, where, findings, "host-pid");
}
void ipc_mode(Json& value, const std::string& where, Findings& findings) {
  mode(value, where, findings, "host-ipc");
}
void uts_mode(Json& value, const std::string& where, Findings& findings) {
  mode(value, where, findings, "host-uts");
}
void userns_mode(Json& value, const std::string& where, Findings& findings) {
  mode(value, where, findings, "host-userns");
}
void cgroupns_mode(Json& value, const std::string& where, Findings& findings) {
  mode(value, where, findings, "host-cgroup");
}
void cgroup(Json& value, const std::string& where, Findings& findings) {
  mode(value, where, findings, "cgroup");
}

void cgroup_parent(Json& value, const std::string& where, Findings& findings) {
  if (!value.text().empty()) find(findings, "cgroup-parent", value.text(), where);
}

void isolation(Json& value, const std::string& where, Findings& findings) {
  if (!value.text().empty() && value.text() != "default") find(findings, "isolation", value.text(), where);
}

// Engines read names in any case and with or without CAP_: they go on in one spelling.
void capabilities(Json& value, const std::string& where, Findings& findings) {
  for (Json& each : value.items_mut()) {
    std::string name(each.text());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
    if (name.starts_with("CAP_")) name.erase(0, 4);
    if (!one_of(name, kUsualCapabilities)) find(findings, "capabilities", name, where);
    each = name;
  }
}

void any_devices(Json& value, const std::string& where, Findings& findings) {
  for (const Json& each : value.items())
    find(findings, "devices", each.is_text() ? each.text() : each["PathOnHost"].text(), where);
}

// The engine would say of any path whether it is there.
void block_devices(Json& value, const std::string& where, Findings& findings) {
  for (const Json& each : value.items()) {
    const auto path = canonical_path(each["Path"].text());
    if (!path || !is_beneath(*path, "/dev")) find(findings, "devices", each["Path"].text().substr(0, 128), where);
  }
}

void security_options(Json& value, const std::string& where, Findings& findings) {
  for (const Json& each : value.items())
    if (!one_of(each.text(), kSafeSecurity)) find(findings, "security-options", each.text().substr(0, 64), where);
}

// An empty list unmasks everything; only null leaves the engine's own.
void masked_paths(Json&, const std::string& where, Findings& findings) {
  find(findings, "masked-paths", "", where);
}

void sysctls(Json& value, const std::string& where, Findings& findings) {
  constexpr std::string_view kOwn[] = {"kernel.msgmax", "kernel.msgmnb",          "kernel.msgmni",
                                       "kernel.sem",    "kernel.shmall",          "kernel.shmmax",
                                       "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.domainname"};
  for (const auto& [name, text] : value.members()) {
    const bool clean = is_name(name) && !name.contains("..");
    if (!clean || (!name.starts_with("net.") && !name.starts_with("fs.mqueue.") && !one_of(name, kOwn)))
      find(findings, "sysctls", name, where);
  }
}

void runtime(Json& value, const std::string& where, Findings& findings) {
  if (!value.text().empty() && value.text() != "runc") find(findings, "runtime", value.text(), where);
}

// Others connect from the engine's host to an address of the caller's choice, or to a socket file.
void log_config(Json& value, const std::string& where, Findings& findings) {
  const std::string_view driver = value.contains("Type") ? value["Type"].text() : value["Name"].text();
  if (!one_of(driver, kLogDrivers)) find(findings, "log-driver", driver, where);
  const Json& options = value.contains("Config") ? value["Config"] : value["Options"];
  for (const auto& [name, text] : options.members())
    if (!one_of(name, kLogOptions)) find(findings, "log-driver", name, where);
}

void storage_options(Json& value, const std::string& where, Findings& findings) {
  for (const auto& [name, text] : value.members())
    if (name != "size") find(findings, "storage-options", name, where);
}

void annotations(Json& value, const std::string& where, Findings& findings) {
  for (const auto& [name, text] : value.members()) find(findings, "annotations", name, where);
}

void oom_score(Json& value, const std::string& where, Findings& findings) {
  if (value.integer() < 0) find(findings, "oom", std::to_string(value.integer()), where);
}

void oom_kill(Json& value, const std::string& where, Findings& findings) {
  if (value.boolean()) find(findings, "oom", "disable", where);
}

// An alias with a slash makes a second path to another container.
void links(Json& value, const std::string& where, Findings& findings) {
  for (const Json& each : value.items()) {
    const auto parts = split(each.text(), ':');
    const bool clean = parts.size() <= 2 && std::all_of(parts.begin(), parts.end(), is_name);
    if (!clean) find(findings, "links", each.text().substr(0, 64), where);
  }
}

void container_name(Json& value, const std::string& where, Findings& findings) {
  if (!is_name(value.text())) find(findings, "names", value.text().substr(0, 64), where);
}

void credential_spec(Json& value, const std::string& where, Findings& findings) {
  if (!value.is_empty()) find(findings, "security-options", "CredentialSpec", where);
}

void selinux(Json& value, const std::string& where, Findings& findings) {
  if (!value.is_empty()) find(findings, "security-options", "SELinuxContext", where);
}

void service_seccomp(Json& value, const std::string& where, Findings& findings) {
  const std::string_view how = value["Mode"].text();
  const bool custom = !value["Profile"].text().empty();
  if (custom || (!how.empty() && how != "default"))
    find(findings, "security-options", "seccomp=" + std::string(how), where);
}

void service_apparmor(Json& value, const std::string& where, Findings& findings) {
  const std::string_view how = value["Mode"].text();
  if (!how.empty() && how != "default") find(findings, "security-options", "apparmor=" + std::string(how), where);
}

void service_runtime(Json& value, const std::string& where, Findings& findings) {
  if (!value.text().empty() && value.text() != "container") find(findings, "runtime", value.text(), where);
}

void plugin_spec(Json& value, const std::string& where, Findings& findings) {
  if (!value.is_empty()) find(findings, "plugins", value["Remote"].text(), where);
}

void external_ca(Json& value, const std::string& where, Findings& findings) {
  if (value.size() > 0) find(findings, "external-ca", "", where);
}

void swarm_driver(Json& value, const std::string& where, Findings& findings) {
  const std::string_view name = value["Name"].text();
  if (!name.empty() && name != "golang") find(findings, "swarm-driver", name, where);
}

void attachment(Json& value, const std::string& where, Findings& findings) {
  if (!value.is_empty()) find(findings, "network-attachment", value["ContainerID"].text(), where);
}

}  // namespace berth::broker::rule
