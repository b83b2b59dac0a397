// What a TLS client says before anything is decided: its ClientHello, read without answering it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth::edge {

struct ClientGreeting {
  enum class State : std::uint8_t {
    need_more,
    tls,      ///< the whole ClientHello is there
    not_tls,  ///< the first bytes are no TLS record with a ClientHello
    broken,   ///< they are, and go on wrongly
  };
  State state = State::need_more;
  std::string server_name{};  ///< lower case without a trailing dot; "": the client named none
  std::string alpn{};         ///< the protocols offered, each behind a byte with its length
  /// Whether it offers acme-tls/1 and nothing else: a CA that checks a challenge (RFC 8737).
  bool acme() const;
};

/// A ClientHello is never longer, its records included; one that is counts as broken.
inline constexpr std::size_t kMostGreeting = 18u << 10;

/// Reads the begin of a connection. RFC 8446 4.1.2 and 5.1, RFC 6066 3, RFC 7301 3.1; a hello may be divided among
/// records. What it does not need is passed over.
ClientGreeting parse_greeting(std::string_view bytes);

}  // namespace berth::edge
