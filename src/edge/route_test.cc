#include "edge/route.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

Route route(std::string name, std::string rule, int priority = 0,
            std::vector<Listener> listeners = {Listener::websecure}) {
  return {.name = std::move(name),
          .rule = std::move(rule),
          .priority = priority,
          .listeners = std::move(listeners),
          .service = "s",
          .middlewares = {},
          .warnings = {}};
}

std::shared_ptr<const Routes> table(std::vector<Route> routes) {
  auto built = Routes::build(std::move(routes), {{.name = "s", .upstreams = {}, .pass_host = true, .down = "why"}});
  EXPECT_TRUE(built.has_value()) << built.error().text();
  return *built;
}

RequestFacts facts(std::string_view host, std::string_view path = "/") {
  return {.host = host, .method = "GET", .path = path, .query = {}, .client = {}, .headers = nullptr};
}

std::string found(const Routes& routes, std::string_view host, std::string_view path = "/",
                  Listener listener = Listener::websecure) {
  const auto* entry = routes.find(listener, facts(host, path));
  return entry ? entry->route.name : "none";
}

TEST(Routes, LongestRuleWins) {
  const auto routes = table({route("host", "Host(`a.test`)"), route("api", "Host(`a.test`) && PathPrefix(`/api`)"),
                             route("low", "Host(`a.test`) && PathPrefix(`/api/low`)", 1)});
  EXPECT_EQ(found(*routes, "a.test"), "host");
  EXPECT_EQ(found(*routes, "a.test", "/api/x"), "api");
  EXPECT_EQ(found(*routes, "a.test", "/api/low"), "api");
  EXPECT_EQ(found(*routes, "b.test"), "none");
}

TEST(Routes, TiesAreDecidedByName) {
  const auto routes = table({route("b", "Host(`a.test`)"), route("a", "Host(`a.test`)")});
  EXPECT_EQ(found(*routes, "a.test"), "a");
}

TEST(Routes, ExactWildcardAndGenericCompeteByPriorityAlone) {
  const auto routes =
      table({route("exact", "Host(`x.a.test`)"), route("wildcard", "Host(`*.a.test`)", 100),
             route("regexp", "HostRegexp(`^[a-z]+\\.a\\.test$`)", 50), route("any", "PathPrefix(`/`)", 1)});
  EXPECT_EQ(found(*routes, "x.a.test"), "wildcard");
  EXPECT_EQ(found(*routes, "a.test"), "any");
  EXPECT_EQ(found(*routes, "x.y.a.test"), "any");
  const auto other = table({route("exact", "Host(`x.a.test`)"), route("regexp", "HostRegexp(`^[a-z]+\\.a\\.test$`)")});
  EXPECT_EQ(found(*other, "x.a.test"), "regexp");  // as in Traefik: its text is longer
}

TEST(Routes, ListenersAreApart) {
  const auto routes = table(
      {route("plain", "Host(`a.test`)", 0, {Listener::web}), route("secure", "Host(`a.test`) && PathPrefix(`/x`)")});
  EXPECT_EQ(found(*routes, "a.test", "/x"), "secure");
  EXPECT_EQ(found(*routes, "a.test", "/x", Listener::web), "plain");
  EXPECT_EQ(found(*routes, "a.test", "/"), "none");
}

TEST(Routes, KnowsTheHostsThatGetCertificates) {
  const auto routes = table({route("a", "Host(`a.test`) || Host(`b.test`)"), route("w", "Host(`*.w.test`)"),
                             route("r", "HostRegexp(`^r[0-9]\\.test$`)"), route("p", "PathPrefix(`/`)"),
                             route("plain", "Host(`plain.test`)", 0, {Listener::web})});
  EXPECT_EQ(routes->hosts(Listener::websecure), (std::vector<std::string>{"*.w.test", "a.test", "b.test"}));
  for (const char* host : {"a.test", "x.w.test", "r1.test"}) {
    EXPECT_TRUE(routes->knows_host(Listener::websecure, host)) << host;
  }
  for (const char* host : {"c.test", "w.test", "rx.test", "plain.test", ""}) {
    EXPECT_FALSE(routes->knows_host(Listener::websecure, host)) << host;
  }
}

TEST(Routes, ExplainsEachCandidate) {
  const auto routes = table({route("api", "Host(`a.test`) && Path(`/api`)"), route("app", "Host(`a.test`)"),
                             route("web", "Host(`a.test`)", 99, {Listener::web}), route("any", "PathPrefix(`/`)", 1)});
  EXPECT_EQ(routes->explain(Listener::websecure, facts("a.test")),
            "99 web Host(`a.test`): not on websecure\n"
            "30 api Host(`a.test`) && Path(`/api`): does not match Path(`/api`)\n"
            "14 app Host(`a.test`): matches, to service s, which has no target: why\n"
            "1 any PathPrefix(`/`): matches, but an earlier one decided\n");
  EXPECT_EQ(table({})->explain(Listener::web, facts("a.test")), "no route on web for a.test\n");
}

TEST(Routes, RefusesWhatCannotWork) {
  auto built =
      Routes::build({route("bad", "Host(`a`")}, {{.name = "s", .upstreams = {}, .pass_host = true, .down = {}}});
  ASSERT_FALSE(built.has_value());
  EXPECT_EQ(built.error().message, "route \"bad\": rule:1:9: expected \",\" or \")\" before the end");
  built = Routes::build({route("bad", "Host(`a`)")}, {});
  ASSERT_FALSE(built.has_value());
  EXPECT_EQ(built.error().message, "route \"bad\": service \"s\" does not exist");
}

TEST(Routes, ManyHostsAreFoundAlone) {
  std::vector<Route> many;
  for (int i = 0; i < 5000; ++i)
    many.push_back(route("r" + std::to_string(i), "Host(`h" + std::to_string(i) + ".test`)"));
  many.push_back(route("upper", "Host(`Admin.Test`) && PathPrefix(`/`)"));
  const auto routes = table(std::move(many));
  EXPECT_EQ(found(*routes, "h4321.test"), "r4321");
  EXPECT_EQ(found(*routes, "admin.test"), "upper") << "a host has no case, however many there are";
  EXPECT_EQ(routes->explain(Listener::websecure, facts("h7.test")).find('\n'),
            routes->explain(Listener::websecure, facts("h7.test")).size() - 1);
}

}  // namespace
}  // namespace berth::edge
