// UDP sockets.
#pragma once

#include <optional>

#include "io/socket.h"

namespace berth::io {

/// One UDP socket: bound, for many peers, or connected to one. Thread: its loop's.
class Datagrams {
 public:
  /// Code::conflict or denied when the address cannot be had; port 0: any free one.
  static Result<std::unique_ptr<Datagrams>> open(Loop& loop, const Address& address, ListenOptions options = {});
  /// The two halves of it.
  static Result<Fd> bind(const Address& address, ListenOptions options = {});
  static Result<std::unique_ptr<Datagrams>> on(Loop& loop, Fd fd);
  /// Sends to `peer` and receives from it alone.
  static Result<std::unique_ptr<Datagrams>> connect(Loop& loop, const Address& peer);
  Datagrams(const Datagrams&) = delete;
  ~Datagrams() { close(); }

  struct Received {
    std::size_t size = 0;
    Address from{};  ///< of a bound socket
  };
  /// A datagram that is there, or nothing; what `into` does not hold is cut off. Code::unavailable when the peer's host
  /// said that nobody listens there, Code::cancelled when closed.
  Result<std::optional<Received>> try_receive(std::span<char> into);
  /// Waits until try_receive may give something else than nothing.
  Task<Result<void>> readable();
  /// To `to`, or to the connected peer. What does not fit into the kernel's buffer is lost, as on any network.
  void send(std::string_view bytes, const Address* to = nullptr);

  Address address() const;
  /// Ends waits with an error. Idempotent.
  void close();

 private:
  Datagrams(Loop& loop, int fd) : loop_(loop) { descriptor_.fd = fd; }
  Loop& loop_;
  Descriptor descriptor_;
};

}  // namespace berth::io
