#include "io/socket_options.h"

#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace berth::io {

Result<Address> local_address(const Stream& stream) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (::getsockname(stream.descriptor(), reinterpret_cast<sockaddr*>(&raw), &size) < 0)
    return fail(Code::invalid, stream.peer() + " is no socket");
  return Address::from(reinterpret_cast<sockaddr*>(&raw), size);
}

void keep_alive(const Stream& stream, std::chrono::milliseconds every) {
  const int fd = stream.descriptor(), on = 1, count = 6;
  if (every.count() < 0) return;
  const int seconds = static_cast<int>(std::clamp<std::int64_t>(every.count() / 1000, 1, 32'767));
  const int idle = every.count() == 0 ? 60 : seconds, pause = every.count() == 0 ? 10 : seconds;
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0) return;
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof pause);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

Result<void> share_with_folder(const std::string& path) {
  struct stat folder{};
  const std::string above = path.substr(0, path.rfind('/') + 1);
  if (::stat(above.c_str(), &folder) != 0 || ::chown(path.c_str(), static_cast<uid_t>(-1), folder.st_gid) != 0)
    return fail(Code::denied, "cannot give " + path + " the group of its folder: " + std::strerror(errno));
  return {};
}

Result<void> give_to_group(const std::string& path, const std::string& group) {
  const ::group* found = ::getgrnam(group.c_str());
  if (!found) return fail(Code::invalid, "no group is called " + group);
  if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0)
    return fail(Code::denied, "cannot give " + path + " to group " + group + ": " + std::strerror(errno));
  return {};
}

Result<PeerUser> peer_user(const Stream& stream) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(stream.descriptor(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0)
    return fail(Code::invalid, stream.peer() + " is no unix socket");
  return PeerUser{.user = peer.uid, .process = peer.pid};
}

unsigned own_user() {
  return ::geteuid();
}

}  // namespace berth::io
