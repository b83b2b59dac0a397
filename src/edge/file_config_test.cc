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
  for (const auto& address : config.metrics) out += "metrics " + address + "\n";
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

TEST(FileConfig, RoutersOfAHostNameTheSameTlsOptions) {
  const auto tree = parse_json(R"json({
    "http": {"services": {"s": {"loadBalancer": {"servers": [{"url": "http://127.0.0.1"}]}}},
             "routers": {"a": {"rule": "Host(`a`)", "service": "s", "tls": {"options": "strict@file"}},
                         "b": {"rule": "Host(`a`) && Path(`/b`)", "service": "s", "tls": {"options": "other"}},
                         "c": {"rule": "PathPrefix(`/`)", "service": "s", "tls": {"options": "strict"}},
                         "d": {"rule": "Host(`d`)", "service": "s", "tls": {"options": "default"}}}},
    "tcp": {"services": {"t": {"loadBalancer": {"servers": [{"address": "127.0.0.1:1"}]}}},
            "routers": {"t": {"rule": "HostSNI(`t`)", "entryPoints": ["websecure"], "service": "t",
                              "tls": {"options": "strict"}}}},
    "entryPoints": {"websecure": {"address": "127.0.0.1:443"}}})json");
  ASSERT_TRUE(tree.has_value()) << tree.error().text();
  const FileConfig config = read_files({*tree}, {"other", "strict"});
  ASSERT_EQ(config.routes.size(), 2u) << print(config);
  EXPECT_EQ(config.routes[0].name + config.routes[0].tls_options, "a@filestrict");
  EXPECT_EQ(config.routes[1].name + config.routes[1].tls_options, "d@file");
  ASSERT_EQ(config.tcp.routes.size(), 1u) << print(config);
  EXPECT_EQ(config.tcp.routes[0].tls_options, "strict");
  ASSERT_EQ(config.notes.size(), 2u) << print(config);
  EXPECT_EQ(config.notes[0].message, "options: \"other\": another router of a has \"strict\"");
  EXPECT_EQ(config.notes[1].message,
            "options: \"strict\" needs a rule with a certain host, since clients name one before they ask");
}

INSTANTIATE_TEST_SUITE_P(Golden, FileCase, ::testing::ValuesIn(berth::testing::golden_cases(TESTDATA "/file")),
                         berth::testing::golden_name);

}  // namespace
}  // namespace berth::edge
