#include "io/datagram.h"

#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/edge_wait.h"

namespace berth::io {
namespace {

std::unexpected<Error> refuse(const std::string& what, int error) {
  const Code code = error == EADDRINUSE                             ? Code::conflict
                    : error == EACCES || error == EPERM             ? Code::denied
                    : error == ECONNREFUSED                         ? Code::unavailable
                    : error == ENETUNREACH || error == EHOSTUNREACH ? Code::unavailable
                                                                    : Code::internal;
  return fail(code, what + ": " + std::strerror(error));
}

Fd make_socket(const Address& address) {
  return Fd(::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

}  // namespace

Result<std::unique_ptr<Datagrams>> Datagrams::on(Loop& loop, Fd fd) {
  std::unique_ptr<Datagrams> out(new Datagrams(loop, fd.release()));
  TRY(loop.poller().add(out->descriptor_));
  return out;
}

Result<std::unique_ptr<Datagrams>> Datagrams::open(Loop& loop, const Address& address, ListenOptions options) {
  return on(loop, TRY(bind(address, options)));
}

Result<Fd> Datagrams::bind(const Address& address, ListenOptions options) {
  const std::string name = "cannot listen on " + address.text() + "/udp";
  Fd fd = make_socket(address);
  if (!fd) return refuse(name, errno);
  const int yes = 1;
  if (address.family() == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (options.reuse_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
  if (::bind(fd.get(), address.raw(), address.size()) < 0) return refuse(name, errno);
  return fd;
}

Result<std::unique_ptr<Datagrams>> Datagrams::connect(Loop& loop, const Address& peer) {
  Fd fd = make_socket(peer);
  if (!fd) return refuse(peer.text() + "/udp", errno);
  if (::connect(fd.get(), peer.raw(), peer.size()) < 0) return refuse(peer.text() + "/udp", errno);
  return on(loop, std::move(fd));
}

Result<std::optional<Datagrams::Received>> Datagrams::try_receive(std::span<char> into) {
  if (descriptor_.fd < 0) return fail(Code::cancelled, "the socket is closed");
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  const ssize_t count =
      ::recvfrom(descriptor_.fd, into.data(), into.size(), 0, reinterpret_cast<sockaddr*>(&raw), &size);
  if (count >= 0) {
    return Received{static_cast<std::size_t>(count), Address::from(reinterpret_cast<sockaddr*>(&raw), size)};
  }
  if (errno != EAGAIN && errno != EINTR) return refuse("receive", errno);
  descriptor_.readable = errno == EINTR;
  return std::optional<Received>();
}

Task<Result<void>> Datagrams::readable() {
  if (descriptor_.fd < 0) co_return fail(Code::cancelled, "the socket is closed");
  co_return co_await EdgeWait(descriptor_.readers, descriptor_.readable);
}

void Datagrams::send(std::string_view bytes, const Address* to) {
  if (descriptor_.fd < 0) return;
  const auto sent =
      ::sendto(descriptor_.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, to ? to->raw() : nullptr, to ? to->size() : 0);
  static_cast<void>(sent);  // an error of the peer's is met by receiving
}

Address Datagrams::address() const {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  ::getsockname(descriptor_.fd, reinterpret_cast<sockaddr*>(&raw), &size);
  return Address::from(reinterpret_cast<sockaddr*>(&raw), size);
}

void Datagrams::close() {
  if (descriptor_.fd < 0) return;
  loop_.poller().remove(descriptor_);
  ::close(std::exchange(descriptor_.fd, -1));
  descriptor_.readers.wake_all();
}

}  // namespace berth::io
