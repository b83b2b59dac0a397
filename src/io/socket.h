// Sockets, listeners and pipes as Streams.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "io/stream.h"

namespace berth::io {

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

/// An IPv4, IPv6 or unix address.
class Address {
 public:
  Address() = default;
  /// "127.0.0.1:80", "[::1]:443": numbers only, no names. Code::invalid otherwise.
  static Result<Address> parse(std::string_view text);
  static Address ip(std::string_view host, std::uint16_t port, bool& ok);
  /// A socket file; Code::invalid when the path is too long for the kernel (107 bytes).
  static Result<Address> unix_path(std::string_view path);
  static Address from(const sockaddr* raw, socklen_t size);
  /// Of a socket's own end.
  static Address of(int fd);
  std::string text() const;
  /// The host part without port or brackets.
  std::string host() const;
  std::uint16_t port() const;
  int family() const { return storage_.ss_family; }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// A stream on a descriptor (socket, pipe, terminal); takes it over and makes it non-blocking.
Result<std::unique_ptr<Stream>> stream_on(Loop& loop, Fd fd, std::string peer = {});

/// Connects; ends with the caller's cancellation. Code::unavailable when nobody listens, Code::denied on EACCES.
Task<Result<std::unique_ptr<Stream>>> connect(Address address);

class UnixDialer final : public Dialer {
 public:
  explicit UnixDialer(std::string path) : path_(std::move(path)) {}
  Task<Result<std::unique_ptr<Stream>>> dial() override;
  std::string name() const override { return "unix://" + path_; }

 private:
  std::string path_;
};

struct ListenOptions {
  bool reuse_port = false;
  int backlog = 4096;
  int mode = 0600;  ///< of a socket file; an old one of a dead listener is replaced
};

/// A listening socket, for a Listener of any process.
Result<Fd> listen_on(const Address& address, ListenOptions options = {});
/// A descriptor that this program got from the one that started it; its own children do not get it.
Fd inherited(int fd);
/// The same open socket under another number.
Result<Fd> duplicate(int fd);

/// Accepts streams. Thread: its loop's.
class Listener {
 public:
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const Address& address, ListenOptions options = {});
  /// On a listening descriptor that was handed over.
  static Result<std::unique_ptr<Listener>> on(Loop& loop, Fd fd);
  ~Listener();
  /// The next connection; TCP ones with TCP_NODELAY.
  Task<Result<std::unique_ptr<Stream>>> accept();
  /// With the port that the kernel chose for 0.
  Address address() const;
  int descriptor() const { return descriptor_.fd; }
  /// Ends waiting accepts with an error.
  void close();

 private:
  Listener(Loop& loop, int fd);
  Loop& loop_;
  Descriptor descriptor_;
  bool closed_ = false;
};

/// Two connected stream sockets, for a parent and its child.
Result<std::pair<Fd, Fd>> socket_pair();

/// Sends `fd` with one byte over a unix socket / receives it (SCM_RIGHTS); waits as needed.
/// The byte says what it is for.
Task<Result<void>> send_fd(Stream& channel, int fd, char word = 'f');
Task<Result<Fd>> receive_fd(Stream& channel, char* word = nullptr);

}  // namespace berth::io
