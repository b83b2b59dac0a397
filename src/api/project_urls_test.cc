#include "api/project_urls.h"

#include <gtest/gtest.h>

namespace berth::api {
namespace {

Json edge_of(std::string_view routes, std::string_view ports = R"({"web": 80, "websecure": 443})") {
  return *parse_json(R"({"ports": )" + std::string(ports) + R"(, "routes": [)" + std::string(routes) +
                     R"(], "services": [
    {"name": "web", "upstreams": [{"target": "shop-web-1", "host": "172.18.0.2", "port": 80}], "down": ""},
    {"name": "other", "upstreams": [{"target": "wiki-web-1", "host": "172.18.0.3", "port": 80}], "down": ""},
    {"name": "gone", "upstreams": [], "down": "container shop-old-1 is not running"},
    {"name": "split", "upstreams": [], "down": "", "group": {"weighted": {"services": [{"name": "web", "weight": 1}]}}}]})");
}
std::string route(std::string_view rule, std::string_view service = "web",
                  std::string_view listeners = R"("websecure")") {
  return R"({"name": "r", "rule": ")" + std::string(rule) + R"(", "service": ")" + std::string(service) +
         R"(", "listeners": [)" + std::string(listeners) + "]}";
}
std::vector<std::string> urls(const Json& edge) {
  return urls_of(edge, {"shop-web-1", "shop-old-1"});
}
using Texts = std::vector<std::string>;

TEST(ProjectUrls, AreThoseOfItsOwnContainers) {
  const auto all = route("Host(`shop.test`) && PathPrefix(`/cart`)") + "," + route("Host(`wiki.test`)", "other") + "," +
                   route("Host(`old.test`)", "gone");
  EXPECT_EQ(urls(edge_of(all)), Texts{"https://shop.test/cart"});
}

TEST(ProjectUrls, NameThePortThatIsNotTheSchemes) {
  const auto both =
      route("Host(`a.test`)", "web", R"("web", "websecure")") + "," + route("Host(`b.test`)", "web", R"("web")");
  EXPECT_EQ(urls(edge_of(both, R"({"web": 8080, "websecure": 8443})")),
            (Texts{"http://b.test:8080/", "https://a.test:8443/"}));
  EXPECT_EQ(urls(edge_of(both)), (Texts{"http://b.test/", "https://a.test/"}));
  EXPECT_EQ(urls(edge_of(both, "{}")), (Texts{"http://b.test/", "https://a.test/"}));
}

TEST(ProjectUrls, EveryHostOnceAndNoPattern) {
  const auto all = route("Host(`a.test`) || Host(`b.test`)") + "," + route("Host(`a.test`) && Method(`GET`)") + "," +
                   route("HostRegexp(`.+`)") + "," + route("PathPrefix(`/x`)");
  EXPECT_EQ(urls(edge_of(all)), (Texts{"https://a.test/", "https://b.test/"}));
}

TEST(ProjectUrls, SeveralPathsAreNone) {
  EXPECT_EQ(urls(edge_of(route("Host(`a.test`) && (PathPrefix(`/x`) || PathPrefix(`/y`))"))), Texts{"https://a.test/"});
  EXPECT_EQ(urls(edge_of(route("Host(`a.test`) && !PathPrefix(`/x`)"))), Texts{"https://a.test/"});
}

TEST(ProjectUrls, GroupsLeadToTheirParts) {
  EXPECT_EQ(urls(edge_of(route("Host(`a.test`)", "split"))), Texts{"https://a.test/"});
}

TEST(ProjectUrls, NothingWithoutAnEdge) {
  EXPECT_EQ(urls(Json()), Texts{});
  EXPECT_EQ(urls_of(edge_of(route("Host(`a.test`)")), {}), Texts{});
}

}  // namespace
}  // namespace berth::api
