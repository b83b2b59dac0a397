// Where the requests of a route go, as data.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "edge/middleware.h"
#include "edge/transport.h"

namespace berth::edge {

/// What an upstream speaks.
enum class Speaks : std::uint8_t { http, uwsgi, fcgi };

class ReadyTransport;

/// One address that serves requests.
struct Upstream {
  std::string host;  ///< IP literal without brackets
  std::uint16_t port = 0;
  bool tls = false;    ///< scheme https; verified only by a transport (a container's own certificate is the usual)
  std::string target;  ///< container name, for messages and the access log
  bool h2 = false;     ///< scheme h2c: HTTP/2 without TLS
  std::uint32_t weight = 1;
  Speaks speaks = Speaks::http;                   ///< scheme uwsgi or fcgi
  std::string transport{};                        ///< name of a Transport; "": none
  std::shared_ptr<const ReadyTransport> ready{};  ///< that one, in a table that is live
  /// Whether the same is said of both; `ready` comes of that.
  friend bool operator==(const Upstream& one, const Upstream& other) {
    const auto said = [](const Upstream& each) {
      return std::tie(each.host, each.port, each.tls, each.target, each.h2, each.weight, each.speaks, each.transport);
    };
    return said(one) == said(other);
  }
};

/// Tells apart what connections are kept and counted for: address, port, scheme, transport.
void append_upstream_key(std::string& out, const Upstream& upstream);
std::string upstream_key(const Upstream& upstream);

/// The cookie by which a client stays with an upstream.
struct Sticky {
  std::string name{};  ///< empty: made from the service's
  bool secure = false, http_only = false;
  std::string same_site{};   ///< none, lax or strict; empty: not said
  std::int64_t max_age = 0;  ///< seconds; 0: until the browser closes
  std::string path = "/";
  std::string domain{};
  friend bool operator==(const Sticky&, const Sticky&) = default;
};
/// Asked of each upstream now and then; one that fails gets no requests.
struct HealthCheck {
  std::string path{};
  std::uint32_t port = 0;  ///< 0: the upstream's
  std::string scheme{}, hostname{};
  std::string method = "GET";
  std::chrono::milliseconds interval{30'000}, unhealthy_interval{0}, timeout{5'000};
  Pairs headers{};
  std::uint32_t status = 0;  ///< 0: any of 200 to 399
  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};
/// An upstream that failed `attempts` requests within `window` is left out for as long.
struct PassiveHealth {
  std::chrono::milliseconds window{10'000};
  std::uint32_t attempts = 1;
  friend bool operator==(const PassiveHealth&, const PassiveHealth&) = default;
};
/// What applications behind uWSGI's protocol and FastCGI are told besides the request.
struct Cgi {
  std::string root = "/var/www/html";  ///< where the application's files are, in its own container
  std::string index = "index.php";     ///< the script of a folder
  std::string script{};                ///< the script of paths that name none; empty: what the path names
  Pairs params{};                      ///< variables
  friend bool operator==(const Cgi&, const Cgi&) = default;
};
enum class Strategy : std::uint8_t { wrr, p2c, hrw, leasttime };

/// Requests go to one of `services` by weight.
struct Weighted {
  struct Part {
    std::string name{};
    std::uint32_t weight = 1;
    friend bool operator==(const Part&, const Part&) = default;
  };
  std::vector<Part> services{};
  std::optional<Sticky> sticky{};
  friend bool operator==(const Weighted&, const Weighted&) = default;
};
/// Requests go to `service`, and some of them also to each of `mirrors`, whose answers nobody sees.
struct Mirroring {
  struct Part {
    std::string name{};
    std::uint32_t percent = 0;
    friend bool operator==(const Part&, const Part&) = default;
  };
  std::string service{};
  std::vector<Part> mirrors{};
  friend bool operator==(const Mirroring&, const Mirroring&) = default;
};
/// Requests go to `fallback` while `service` has no upstream that is healthy.
struct Failover {
  std::string service{}, fallback{};
  friend bool operator==(const Failover&, const Failover&) = default;
};

/// Requests wait, or are turned away, for as long as an operator says so (`berth route pause`, `berth route stop`).
struct Hold {
  std::string message{};                   ///< not empty: requests get 503 with it at once
  std::chrono::milliseconds most{30'000};  ///< how long one waits; then it gets 503
  std::uint32_t count = 1000;              ///< that wait at the same time, per worker; 503 beyond
  friend bool operator==(const Hold&, const Hold&) = default;
};

/// Where the requests of a route go.
struct Service {
  std::string name;
  std::vector<Upstream> upstreams;
  bool pass_host = true;  ///< Host as the client sent it; false: the upstream's address
  std::string down;       ///< why there is no upstream; shown by explain and logged, never sent to clients
  Strategy strategy = Strategy::wrr;
  std::optional<Sticky> sticky{};
  std::optional<HealthCheck> health{};
  std::optional<PassiveHealth> passive{};
  std::optional<Cgi> cgi{};
  std::string transport{};                        ///< what labels and files say; its upstreams know better
  std::chrono::milliseconds slow_start{0};        ///< how long a new upstream's share grows
  std::chrono::milliseconds flush_interval{100};  ///< read and ignored: what is there is sent at once
  std::variant<std::monostate, Weighted, Mirroring, Failover> group{};  ///< in place of upstreams
  std::optional<Hold> hold{};                                           ///< no label or file may say it
  friend bool operator==(const Service&, const Service&) = default;
};

/// The names of the services that a group leads to.
std::vector<std::string*> parts_of(Service& service);

}  // namespace berth::edge
