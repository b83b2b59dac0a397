#include "edge/file_config.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "edge/keys.h"
#include "edge/tcp_fixture.h"
#include "testing/golden.h"

namespace berth::edge {
namespace {

std::string print(const FileConfig& config) {
  std::string out;
  for (const auto& address : config.web) out += "web " + address + "\n";
  for (const auto& address : config.websecure) out += "websecure " + address + "\n";
  for (const auto& proxy : config.settings.trusted_proxies) out += "trusts " + proxy + "\n";
  for (const auto& pair : config.certificates) out += "certificate " + pair.certificate + " " + pair.key + "\n";
  for (const Route& route : config.routes) {
    out += "route " + route.name + " " + std::to_string(route.priority) + " " + route.rule + " ->";
    for (const Listener listener : route.listeners) out += " " + std::string(to_text(listener));
    out += " -> " + route.service + "\n";
    for (const Middleware& each : route.middlewares) {
      out += "  " + each.name + " " + write_action(each.action).dump() + "\n";
    }
  }
  for (const Service& service : config.services) {
    out += "service " + service.name + ":";
    for (const Upstream& each : service.upstreams) {
      out += std::string(each.tls ? " https://" : " http://") + each.host + ":" + std::to_string(each.port) + "*" +
             std::to_string(each.weight) + (each.transport.empty() ? "" : " by " + each.transport);
    }
    out += " " + write_balancing(service).dump() + write_group(service).dump() + " " + service.down + "\n";
  }
  out += print_tcp(config.tcp);
  for (const Transport& each : config.transports)
    out += "transport " + each.name + " " + write_transport(each).dump() + "\n";
  for (const TcpTransport& each : config.tcp.transports)
    out += "tcp transport " + each.name + " " + write_transport(each).dump() + "\n";
  for (const FileNote& note : config.notes) {
    out += std::string(note.error ? "error " : "warning ") + std::to_string(note.file) + " " + join(note.path, ".") +
           ": " + note.message + "\n";
  }
  return out;
}

class FileCase : public ::testing::TestWithParam<berth::testing::GoldenCase> {};

TEST_P(FileCase, ReadsRoutes) {
  const auto trees = parse_json(GetParam().input);
  ASSERT_TRUE(trees.has_value()) << trees.error().text();
  const FileConfig config = read_files(trees->items());
  berth::testing::expect_golden(GetParam(), print(config));
  const auto routes = Routes::build(config.routes, config.services);
  EXPECT_TRUE(routes.has_value()) << routes.error().text();
  EXPECT_TRUE(TcpTable::build(config.tcp).has_value());
}

INSTANTIATE_TEST_SUITE_P(Golden, FileCase, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/file")),
                         berth::testing::golden_name);

}  // namespace
}  // namespace berth::edge
