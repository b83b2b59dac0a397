#include "io/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "io/edge_wait.h"

namespace berth::io {
namespace {

std::string reason(int error) {
  return std::strerror(error);
}

Code code_of(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return Code::denied;
    case ENOENT:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return Code::unavailable;
    case ETIMEDOUT:
      return Code::timeout;
    case EADDRINUSE:
      return Code::conflict;
    default:
      return Code::internal;
  }
}

Error error_of(std::string_view what, int error) {
  return Error{code_of(error), std::string(what) + ": " + reason(error)};
}

void set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0 && !(flags & O_NONBLOCK)) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

class DescriptorStream final : public Stream {
 public:
  DescriptorStream(Loop& loop, int fd, std::string peer, bool is_socket)
      : loop_(loop), peer_(std::move(peer)), is_socket_(is_socket) {
    descriptor_.fd = fd;
  }
  ~DescriptorStream() override { close(); }
  Result<void> watch() {
    watched_ = true;
    return loop_.poller().add(descriptor_);
  }
  /// Someone else read to the end of what was there.
  void drained() { descriptor_.readable = false; }
  /// A regular file cannot be watched and never blocks.
  void unwatched() { watched_ = false; }

  Attempt try_read(std::span<char> into) override {
    if (descriptor_.fd < 0) return fail_with(EBADF);
    if (!descriptor_.readable) return {};  // an edge says when there is more: asking before costs a call each time
    const ssize_t count = is_socket_ ? ::recv(descriptor_.fd, into.data(), into.size(), 0)
                                     : ::read(descriptor_.fd, into.data(), into.size());
    if (count > 0) {
      // A short read has drained the socket unless its end is waiting behind the data.
      if (static_cast<std::size_t>(count) < into.size() && !descriptor_.hung_up && watched_)
        descriptor_.readable = false;
      return {Attempt::moved, static_cast<std::size_t>(count)};
    }
    if (count == 0) return {Attempt::end, 0};
    if (errno == EAGAIN || errno == EINTR) {
      descriptor_.readable = errno == EINTR;
      return {Attempt::blocked, 0};
    }
    if (!is_socket_ && errno == EIO) return {Attempt::end, 0};  // the far end of a terminal was closed
    return fail_with(errno);
  }
  Attempt try_write(std::string_view from) override {
    if (descriptor_.fd < 0) return fail_with(EBADF);
    const ssize_t count = is_socket_ ? ::send(descriptor_.fd, from.data(), from.size(), MSG_NOSIGNAL)
                                     : ::write(descriptor_.fd, from.data(), from.size());
    if (count >= 0) return {Attempt::moved, static_cast<std::size_t>(count)};
    if (errno == EAGAIN || errno == EINTR) {
      descriptor_.writable = errno == EINTR;
      return {Attempt::blocked, 0};
    }
    return fail_with(errno);
  }
  bool splices() const override { return is_socket_ && descriptor_.fd >= 0; }
  Attempt try_splice_into(int pipe, std::size_t most) override {
    if (descriptor_.fd < 0) return fail_with(EBADF);
    if (!descriptor_.readable) return {};
    const ssize_t count = ::splice(descriptor_.fd, nullptr, pipe, nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (count == 0) return {Attempt::end, 0};
    return spliced(count, descriptor_.readable);
  }
  Attempt try_splice_from(int pipe, std::size_t most) override {
    if (descriptor_.fd < 0) return fail_with(EBADF);
    const ssize_t count = ::splice(pipe, nullptr, descriptor_.fd, nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    return spliced(count, descriptor_.writable);
  }
  WaitList& waiters(Direction direction) override {
    return direction == Direction::read ? descriptor_.readers : descriptor_.writers;
  }
  bool ready_now(Direction direction) override {
    if (descriptor_.fd < 0) return true;
    return direction == Direction::read ? descriptor_.readable : descriptor_.writable;
  }
  bool is_blocked(Direction direction) override { return !ready_now(direction); }
  void shutdown_write() override {
    if (is_socket_)
      ::shutdown(descriptor_.fd, SHUT_WR);
    else
      close();
  }
  void close() override {
    if (descriptor_.fd < 0) return;
    if (watched_) loop_.poller().remove(descriptor_);
    ::close(std::exchange(descriptor_.fd, -1));
    descriptor_.readers.wake_all();
    descriptor_.writers.wake_all();
  }
  Error error() const override { return error_of(peer_.empty() ? "stream" : peer_, error_); }
  std::string peer() const override { return peer_; }
  int descriptor() const override { return descriptor_.fd; }

 private:
  Attempt spliced(ssize_t count, bool& hint) {
    if (count > 0) return {Attempt::moved, static_cast<std::size_t>(count)};
    if (count == 0) return {};
    if (errno != EAGAIN && errno != EINTR) return fail_with(errno);
    hint = errno == EINTR;
    return {};
  }
  Attempt fail_with(int error) {
    error_ = error;
    return {Attempt::failed, 0};
  }
  Loop& loop_;
  Descriptor descriptor_;
  std::string peer_;
  bool is_socket_;
  bool watched_ = false;
  int error_ = 0;
};

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

// Address

Address Address::ip(std::string_view host, std::uint16_t port, bool& ok) {
  Address out;
  const std::string text(host);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage_);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage_);
  ok = true;
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    out.size_ = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out.size_ = sizeof *v6;
  } else {
    ok = false;
  }
  return out;
}

Result<Address> Address::parse(std::string_view text) {
  const auto bad = [&] {
    return fail(Code::invalid, "\"" + std::string(text) + "\" is not an address; write 127.0.0.1:80 or [::1]:80");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return bad();
  const bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  bool ok = false;
  Address out = ip(host, port, ok);
  if (!ok || brackets != (out.family() == AF_INET6)) return bad();
  return out;
}

Result<Address> Address::unix_path(std::string_view path) {
  Address out;
  auto* raw = reinterpret_cast<sockaddr_un*>(&out.storage_);
  if (path.empty() || path.size() >= sizeof raw->sun_path)
    return fail(Code::invalid, "socket path \"" + std::string(path) + "\" is empty or longer than 107 bytes");
  raw->sun_family = AF_UNIX;
  std::memcpy(raw->sun_path, path.data(), path.size());
  // "@name" lies in the abstract namespace, whose names begin with a zero and end with their length.
  const bool abstract = path.front() == '@';
  if (abstract) raw->sun_path[0] = '\0';
  out.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  return out;
}

Address Address::from(const sockaddr* raw, socklen_t size) {
  Address out;
  out.size_ = std::min<socklen_t>(size, sizeof out.storage_);
  std::memcpy(&out.storage_, raw, out.size_);
  return out;
}

Address Address::of(int fd) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &size);
  return from(reinterpret_cast<sockaddr*>(&raw), size);
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text, sizeof text);
  } else if (family() == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address))
      ::inet_ntop(AF_INET, address.s6_addr + 12, text, sizeof text);
    else
      ::inet_ntop(AF_INET6, &address, text, sizeof text);
  } else if (family() == AF_UNIX && size_ > offsetof(sockaddr_un, sun_path)) {
    return reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path;
  }
  return text;
}

std::uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  return 0;
}

std::string Address::text() const {
  if (family() == AF_UNIX) return "unix:" + host();
  const std::string name = host();
  const bool brackets = name.find(':') != std::string::npos;
  return (brackets ? "[" + name + "]" : name) + ":" + std::to_string(port());
}

// Streams

Result<std::unique_ptr<Stream>> stream_on(Loop& loop, Fd fd, std::string peer) {
  struct stat status{};
  if (::fstat(fd.get(), &status) < 0) return fail(error_of("cannot use a descriptor", errno));
  set_nonblocking(fd.get());
  const bool is_file = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
  auto stream = std::make_unique<DescriptorStream>(loop, fd.release(), std::move(peer), S_ISSOCK(status.st_mode));
  if (is_file)
    stream->unwatched();
  else
    TRY(stream->watch());
  return std::unique_ptr<Stream>(std::move(stream));
}

namespace {
/// On a socket that blocks nobody: the kernel need not be asked what it is.
Result<std::unique_ptr<Stream>> stream_on_socket(Loop& loop, Fd fd, std::string peer) {
  auto stream = std::make_unique<DescriptorStream>(loop, fd.release(), std::move(peer), true);
  TRY(stream->watch());
  return std::unique_ptr<Stream>(std::move(stream));
}
}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect(Address address) {
  const Context context = co_await here();
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) co_return fail(error_of("cannot make a socket", errno));
  const std::string name = address.family() == AF_UNIX ? address.host() : address.text();
  if (address.family() != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  while (::connect(fd.get(), address.raw(), address.size()) < 0) {
    // A unix socket says EAGAIN while its backlog is full, and never tells when there is room.
    if (errno == EAGAIN) {
      CO_TRY(co_await sleep_for(std::chrono::milliseconds(5)));
      continue;
    }
    if (errno != EINPROGRESS) co_return fail(error_of(name, errno));
    Descriptor descriptor;
    descriptor.fd = fd.get();
    CO_TRY(context.loop->poller().add(descriptor));
    auto waited = co_await EdgeWait(descriptor.writers, false);
    context.loop->poller().remove(descriptor);
    if (!waited) co_return fail(std::move(waited.error()).within(name));
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) co_return fail(error_of(name, error));
    break;
  }
  co_return stream_on_socket(*context.loop, std::move(fd), name);
}

Task<Result<std::unique_ptr<Stream>>> UnixDialer::dial() {
  co_return co_await connect(CO_TRY(Address::unix_path(path_)));
}

// Listener

Listener::Listener(Loop& loop, int fd) : loop_(loop) {
  descriptor_.fd = fd;
}

Listener::~Listener() {
  close();
}

void Listener::close() {
  if (descriptor_.fd < 0) return;
  closed_ = true;
  loop_.poller().remove(descriptor_);
  ::close(std::exchange(descriptor_.fd, -1));
  descriptor_.readers.wake_all();
}

Result<std::unique_ptr<Listener>> Listener::on(Loop& loop, Fd fd) {
  set_nonblocking(fd.get());
  std::unique_ptr<Listener> listener(new Listener(loop, fd.release()));
  TRY(loop.poller().add(listener->descriptor_));
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& address, ListenOptions options) {
  return Listener::on(loop, TRY(listen_on(address, options)));
}

Fd inherited(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return Fd(fd);
}

Result<Fd> duplicate(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return fail(error_of("cannot use a descriptor", errno));
  return copy;
}

Result<Fd> listen_on(const Address& address, ListenOptions options) {
  const std::string name = "cannot listen on " + address.text();
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail(error_of(name, errno));
  const int yes = 1;
  if (address.family() != AF_UNIX) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.family() == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (options.reuse_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
  if (::bind(fd.get(), address.raw(), address.size()) < 0) {
    if (errno != EADDRINUSE || address.family() != AF_UNIX) return fail(error_of(name, errno));
    // A socket file stays behind when its listener is killed; only one that nobody answers on is replaced.
    Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), address.raw(), address.size()) == 0 || errno != ECONNREFUSED)
      return fail(error_of(name, EADDRINUSE));
    ::unlink(address.host().c_str());
    if (::bind(fd.get(), address.raw(), address.size()) < 0) return fail(error_of(name, errno));
  }
  if (address.family() == AF_UNIX) ::chmod(address.host().c_str(), static_cast<mode_t>(options.mode));
  if (::listen(fd.get(), options.backlog) < 0) return fail(error_of(name, errno));
  return fd;
}

Task<Result<std::unique_ptr<Stream>>> Listener::accept() {
  while (true) {
    if (closed_) co_return fail(Code::cancelled, "the listener is closed");
    sockaddr_storage raw{};
    socklen_t size = sizeof raw;
    Fd fd(::accept4(descriptor_.fd, reinterpret_cast<sockaddr*>(&raw), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      const Address peer = Address::from(reinterpret_cast<sockaddr*>(&raw), size);
      const int on = 1;
      if (peer.family() != AF_UNIX) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      co_return stream_on_socket(loop_, std::move(fd), peer.family() == AF_UNIX ? "unix" : peer.text());
    }
    if (errno == EAGAIN) {
      descriptor_.readable = false;
      CO_TRY(co_await EdgeWait(descriptor_.readers, descriptor_.readable));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Out of descriptors: others must end first; the connection stays in the backlog.
      CO_TRY(co_await sleep_for(std::chrono::milliseconds(20)));
    } else if (errno != EINTR && errno != ECONNABORTED) {
      co_return fail(error_of("accept", errno));
    }
  }
}

Address Listener::address() const {
  return Address::of(descriptor_.fd);
}

// Passing descriptors

Result<std::pair<Fd, Fd>> socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
    return fail(error_of("cannot make a socket pair", errno));
  return std::pair(Fd(fds[0]), Fd(fds[1]));
}

Task<Result<void>> send_fd(Stream& channel, int fd, char word) {
  char byte = word;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  while (::sendmsg(channel.descriptor(), &message, MSG_NOSIGNAL) < 0) {
    if (errno != EAGAIN && errno != EINTR) co_return fail(error_of("cannot pass a descriptor", errno));
    CO_TRY(co_await sleep_for(std::chrono::milliseconds(5)));
  }
  co_return Result<void>{};
}

Task<Result<Fd>> receive_fd(Stream& channel, char* word) {
  while (true) {
    char byte;
    iovec part{&byte, 1};
    int fd = -1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t count = ::recvmsg(channel.descriptor(), &message, MSG_CMSG_CLOEXEC);
    if (count == 0) co_return fail(Code::unavailable, "the channel was closed");
    if (count > 0) {
      const cmsghdr* header = CMSG_FIRSTHDR(&message);
      if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof fd))
        co_return fail(Code::invalid, "the channel carried no descriptor");
      std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
      if (word) *word = byte;
      co_return Fd(fd);
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return fail(error_of("cannot receive a descriptor", errno));
    // The stream's flag still says readable from before this recvmsg, which went past it.
    static_cast<DescriptorStream&>(channel).drained();
    CO_TRY(co_await ready(channel, Direction::read));
  }
}

}  // namespace berth::io
