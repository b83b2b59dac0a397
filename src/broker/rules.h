// The rules that look at values of bodies, one function a danger; shape.cc says where each applies. A rule that has
// nothing to say leaves `findings` alone.
#pragma once

#include <string_view>

#include "broker/shape.h"

namespace berth::broker::rule {

void privileged(Json& value, const std::string& where, Findings& findings);
void network_mode(Json& value, const std::string& where, Findings& findings);
void service_network(Json& value, const std::string& where, Findings& findings);
void pid_mode(Json& value, const std::string& where, Findings& findings);
void ipc_mode(Json& value, const std::string& where, Findings& findings);
void uts_mode(Json& value, const std::string& where, Findings& findings);
void userns_mode(Json& value, const std::string& where, Findings& findings);
void cgroupns_mode(Json& value, const std::string& where, Findings& findings);
void cgroup(Json& value, const std::string& where, Findings& findings);
void cgroup_parent(Json& value, const std::string& where, Findings& findings);
void isolation(Json& value, const std::string& where, Findings& findings);
void capabilities(Json& value, const std::string& where, Findings& findings);
void block_devices(Json& value, const std::string& where, Findings& findings);
void any_devices(Json& value, const std::string& where, Findings& findings);
void security_options(Json& value, const std::string& where, Findings& findings);
void masked_paths(Json& value, const std::string& where, Findings& findings);
void sysctls(Json& value, const std::string& where, Findings& findings);
void runtime(Json& value, const std::string& where, Findings& findings);
void log_config(Json& value, const std::string& where, Findings& findings);
void storage_options(Json& value, const std::string& where, Findings& findings);
void annotations(Json& value, const std::string& where, Findings& findings);
void oom_score(Json& value, const std::string& where, Findings& findings);
void oom_kill(Json& value, const std::string& where, Findings& findings);
void links(Json& value, const std::string& where, Findings& findings);
void volumes_from(Json& value, const std::string& where, Findings& findings);
void volume_driver(Json& value, const std::string& where, Findings& findings);
void container_volumes(Json& value, const std::string& where, Findings& findings);
void tmpfs(Json& value, const std::string& where, Findings& findings);
void binds(Json& value, const std::string& where, Findings& findings);
void mount(Json& value, const std::string& where, Findings& findings);
void mounts(Json& value, const std::string& where, Findings& findings);
void volume(Json& value, const std::string& where, Findings& findings);
void network(Json& value, const std::string& where, Findings& findings);
void container_name(Json& value, const std::string& where, Findings& findings);
void endpoints(Json& value, const std::string& where, Findings& findings);
void endpoint_options(Json& value, const std::string& where, Findings& findings);
void attachment(Json& value, const std::string& where, Findings& findings);
void credential_spec(Json& value, const std::string& where, Findings& findings);
void selinux(Json& value, const std::string& where, Findings& findings);
void service_seccomp(Json& value, const std::string& where, Findings& findings);
void service_apparmor(Json& value, const std::string& where, Findings& findings);
void service_runtime(Json& value, const std::string& where, Findings& findings);
void plugin_spec(Json& value, const std::string& where, Findings& findings);
void external_ca(Json& value, const std::string& where, Findings& findings);
void swarm_driver(Json& value, const std::string& where, Findings& findings);

/// Driver and its options, as volume create and an inline volume have them.
void volume_options(std::string_view driver, const Json& options, const std::string& where, Findings& findings);

}  // namespace berth::broker::rule
