#include "io/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>

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

}  // namespace berth::io
