// Inside of edge/keys: the table of services.
#pragma once

#include "edge/keys_transport.h"

namespace berth::edge {

template <>
struct Keys<Sticky> {
  static constexpr auto all = std::tuple{
      key("name", &Sticky::name, "empty: made from the service's"),
      key("secure", &Sticky::secure, ""),
      key("httpOnly", &Sticky::http_only, ""),
      key("sameSite", &Sticky::same_site, "none, lax or strict"),
      key("maxAge", &Sticky::max_age, "seconds; 0: until the browser closes"),
      key("path", &Sticky::path, ""),
      key("domain", &Sticky::domain, ""),
  };
};
template <>
struct Keys<HealthCheck> {
  static constexpr auto all = std::tuple{
      key("path", &HealthCheck::path, "begins with a slash"),
      key("port", &HealthCheck::port, "0: the server's"),
      key("scheme", &HealthCheck::scheme, "empty: the server's"),
      key("hostname", &HealthCheck::hostname, "the Host field"),
      key("method", &HealthCheck::method, ""),
      key("interval", &HealthCheck::interval, ""),
      key("unhealthyInterval", &HealthCheck::unhealthy_interval, "while it fails; 0: interval"),
      key("timeout", &HealthCheck::timeout, ""),
      key("headers", &HealthCheck::headers, "NAME=value"),
      key("status", &HealthCheck::status, "0: any of 200 to 399"),
  };
};
template <>
struct Keys<PassiveHealth> {
  static constexpr auto all = std::tuple{
      key("failureWindow", &PassiveHealth::window, ""),
      key("maxFailedAttempts", &PassiveHealth::attempts, ""),
  };
};
template <>
struct Keys<Cgi> {
  static constexpr auto all = std::tuple{
      key("root", &Cgi::root, "DOCUMENT_ROOT, and the begin of SCRIPT_FILENAME"),
      key("index", &Cgi::index, "the script of a path that ends with a slash"),
      key("script", &Cgi::script, "the script of paths that name no .php file, such as /index.php"),
      key("params", &Cgi::params, "NAME=value: more variables"),
  };
};
template <>
struct Keys<Service> {
  static constexpr std::string_view kind = "loadBalancer", does = "Divides requests between servers.";
  static constexpr auto all = std::tuple{
      key("passHostHeader", &Service::pass_host, "false: Host is the server's address"),
      key("strategy", &Service::strategy, "wrr, p2c, hrw or leasttime"),
      key("sticky.cookie", &Service::sticky, ""),
      key("healthCheck", &Service::health, ""),
      key("passiveHealthCheck", &Service::passive, ""),
      key("cgi", &Service::cgi, "of servers with the scheme uwsgi or fcgi (berth only)"),
      key("serversTransport", &Service::transport, "of a file: how servers are connected to"),
      key("slowStart", &Service::slow_start, "a new server's share grows for so long (berth only)"),
      key("responseForwarding.flushInterval", &Service::flush_interval, "has no effect: what is there is sent at once"),
  };
};
template <>
struct Keys<Weighted::Part> {
  static constexpr auto all = std::tuple{
      key("name", &Weighted::Part::name, ""),
      key("weight", &Weighted::Part::weight, ""),
  };
};
template <>
struct Keys<Weighted> {
  static constexpr std::string_view kind = "weighted", does = "Divides requests between services.";
  static constexpr auto all = std::tuple{
      key("services", &Weighted::services, "as labels: services[0].name=a, services[0].weight=3"),
      key("sticky.cookie", &Weighted::sticky, ""),
  };
};
template <>
struct Keys<Mirroring::Part> {
  static constexpr auto all = std::tuple{
      key("name", &Mirroring::Part::name, ""),
      key("percent", &Mirroring::Part::percent, "of the requests"),
  };
};
template <>
struct Keys<Mirroring> {
  static constexpr std::string_view kind = "mirroring",
                                    does = "Sends copies of requests without body to other services.";
  static constexpr auto all = std::tuple{
      key("service", &Mirroring::service, "the one that answers"),
      key("mirrors", &Mirroring::mirrors, "as labels: mirrors[0].name=a, mirrors[0].percent=10"),
  };
};
template <>
struct Keys<Failover> {
  static constexpr std::string_view kind = "failover", does = "Uses another service while one has no server.";
  static constexpr auto all = std::tuple{
      key("service", &Failover::service, ""),
      key("fallback", &Failover::fallback, ""),
  };
};

}  // namespace berth::edge
