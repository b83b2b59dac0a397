// Published ports of the fake engine's host.
#include <fmt/format.h>

#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr int kMostPort = 65535;

struct Range {
  int first = 0;
  int last = 0;
};
// "8080", "8000-8010"; 0 for a free one.
Range parse_range(std::string_view text) {
  const Cut parts = cut(text, '-');
  const int first = std::atoi(std::string(parts.before).c_str());
  return {first, parts.found ? std::atoi(std::string(parts.after).c_str()) : first};
}

std::string_view protocol_of(std::string_view inner) {
  return cut(inner, '/').after;
}

// A port without a protocol is one of TCP.
std::string with_protocol(const std::string& inner) {
  return inner.find('/') == inner.npos ? inner + "/tcp" : inner;
}

bool wildcard(std::string_view ip) {
  return ip.empty() || ip == "0.0.0.0" || ip == "::";
}

bool allocated(const FakeState& state, const FakePort& wanted) {
  for (const FakeContainer& container : state.containers)
    for (const FakePort& port : container.ports)
      if (port.port == wanted.port && protocol_of(port.inner) == protocol_of(wanted.inner) &&
          (wildcard(port.ip) || wildcard(wanted.ip) || port.ip == wanted.ip))
        return true;
  return false;
}

bool foreign(const FakeState& state, int port) {
  return std::ranges::find(state.options.taken_ports, port) != state.options.taken_ports.end();
}

FakeReply failed(const FakeState& state, const FakeContainer& container, std::string_view why) {
  std::string endpoint;
  for (const FakeEndpoint& candidate : container.endpoints)
    if (endpoint.empty()) endpoint = candidate.id;
  static_cast<void>(state);
  return refuse(500, fmt::format("driver failed programming external connectivity on endpoint {} ({}): {}",
                                 container.name, endpoint, why));
}

// Binds `wanted` to a port of the range; a refusal when none is free.
std::optional<FakeReply> bind(FakeState& state, FakeContainer& container, FakePort wanted, Range range) {
  const std::string_view shown = wanted.ip.empty() ? "0.0.0.0" : std::string_view(wanted.ip);
  if (range.first == 0) {
    do {
      wanted.port = state.next_port++;
    } while (wanted.port < kMostPort && (allocated(state, wanted) || foreign(state, wanted.port)));
  } else {
    for (wanted.port = range.first; wanted.port < range.last; ++wanted.port)
      if (!allocated(state, wanted) && !foreign(state, wanted.port)) break;
  }
  if (allocated(state, wanted))
    return failed(state, container,
                  fmt::format("Bind for {}:{} failed: port is already allocated", shown, wanted.port));
  if (foreign(state, wanted.port))
    return failed(state, container,
                  fmt::format("Error starting userland proxy: listen {}4 {}:{}: bind: address already in use",
                              protocol_of(wanted.inner), shown, wanted.port));
  if (!wanted.ip.empty()) {
    container.ports.push_back(std::move(wanted));
  } else {
    container.ports.push_back({wanted.inner, "0.0.0.0", wanted.port});
    container.ports.push_back({wanted.inner, "::", wanted.port});
  }
  return std::nullopt;
}

}  // namespace

std::optional<FakeReply> bind_ports(FakeState& state, FakeContainer& container) {
  const std::string_view mode = container.host["NetworkMode"].text();
  if (mode == "host" || mode == "none" || mode.starts_with("container:")) return std::nullopt;
  for (const auto& [inner, bindings] : container.host["PortBindings"].members())
    for (const Json& binding : bindings.items())
      if (auto refusal = bind(state, container, {with_protocol(inner), std::string(binding["HostIp"].text()), 0},
                              parse_range(binding["HostPort"].text())))
        return refusal;
  if (!container.host["PublishAllPorts"].boolean()) return std::nullopt;
  for (const auto& [inner, empty] : container.config["ExposedPorts"].members())
    if (!container.host["PortBindings"].contains(inner))
      if (auto refusal = bind(state, container, {inner, "", 0}, {})) return refusal;
  return std::nullopt;
}

}  // namespace berth::testing
