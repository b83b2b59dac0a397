#include "engine/socket_access.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace berth::engine {
namespace {

std::string octal(unsigned mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode);
  return text;
}

std::string advice(const SocketFacts& facts) {
  const unsigned group_access = facts.mode & 060;
  if (facts.in_group && group_access == 060)
    return "; the mode allows it, so a security module (SELinux, AppArmor) or a mount may forbid it";
  if (group_access != 060 || facts.group == "root")
    return "; its group may not use it: run this as root (sudo), or start the engine with a group for its socket "
           "(dockerd --group docker)";
  if (facts.listed_in_group)
    return "; user " + facts.user + " was added to group " + facts.group +
           " after this session began: log in again, or run `newgrp " + facts.group + "`";
  return "; user " + facts.user + " is not in group " + facts.group + ": run `sudo usermod -aG " + facts.group + " " +
         facts.user + "` and log in again (members of it are as powerful as root), or use sudo";
}

std::string user_name(uid_t user) {
  const passwd* entry = ::getpwuid(user);
  return entry ? entry->pw_name : std::to_string(user);
}

void read_group(gid_t gid, SocketFacts& facts) {
  const group* entry = ::getgrgid(gid);
  facts.group = entry ? entry->gr_name : std::to_string(gid);
  for (char** member = entry ? entry->gr_mem : nullptr; member && *member; ++member)
    if (facts.user == *member) facts.listed_in_group = true;
  const int count = std::max(0, ::getgroups(0, nullptr));
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  const int filled = ::getgroups(count, groups.data());
  groups.resize(static_cast<std::size_t>(std::max(0, filled)));
  facts.in_group = ::getegid() == gid || std::find(groups.begin(), groups.end(), gid) != groups.end();
}

}  // namespace

Error explain_socket(const SocketFacts& facts, const Error& cause) {
  const std::string start = "no engine at unix://" + facts.path + ": ";
  if (!facts.blocked_folder.empty())
    return {Code::denied, "permission denied: user " + facts.user + " may not enter " + facts.blocked_folder +
                              ", where the engine's socket " + facts.path + " is; run this as root (sudo)"};
  if (!facts.exists)
    return {Code::unavailable, start +
                                   "there is no such socket; start the engine (`sudo systemctl start docker`) or "
                                   "say where it is with DOCKER_HOST or --host"};
  if (!facts.is_socket) return {Code::invalid, start + "the file is not a socket"};
  if (cause.code == Code::denied)
    return {Code::denied, "permission denied on the engine's socket " + facts.path + ", which belongs to " +
                              facts.owner + ":" + facts.group + " with mode " + octal(facts.mode) + advice(facts)};
  if (cause.code == Code::unavailable)
    return {Code::unavailable,
            start + "nobody listens on that socket; start the engine (`sudo systemctl start docker`)"};
  return {cause.code, start + cause.message};
}

SocketFacts socket_facts(const std::string& path) {
  SocketFacts facts{.path = path};
  facts.user = user_name(::geteuid());
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    if (::access(folder.c_str(), X_OK) == 0 || errno != EACCES) continue;
    facts.blocked_folder = folder;
    return facts;
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return facts;
  facts.exists = true;
  facts.is_socket = S_ISSOCK(status.st_mode);
  facts.mode = status.st_mode & 07777;
  facts.owner = user_name(status.st_uid);
  read_group(status.st_gid, facts);
  return facts;
}

}  // namespace berth::engine
