#include "edge/snapshot_patch.h"

#include <gtest/gtest.h>

#include <random>

#include "base/json.h"
#include "edge/live.h"
#include "edge/snapshot_feed.h"

namespace berth::edge {
namespace {

/// Changes snapshots at random, always in the same way for one seed.
class Changes {
 public:
  explicit Changes(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t end) { return random_() % end; }

  Snapshot next(Snapshot from) {
    ++from.version;
    for (std::size_t i = below(4); i > 0; --i) change(from);
    return from;
  }

 private:
  std::string name() { return "n" + std::to_string(below(30)); }

  template <class T, class Make>
  void change_list(std::vector<T>& list, Make make) {
    const auto at = list.begin() + static_cast<std::ptrdiff_t>(below(list.size() + 1));
    switch (below(4)) {
      case 0:
        list.insert(at, make());
        break;
      case 1:
        if (at != list.end()) list.erase(at);
        break;
      case 2:
        if (at != list.end()) *at = make();
        break;
      default:
        if (at != list.end()) std::swap(*at, list.front());
    }
  }

  Service service() {
    Service made{.name = "s" + std::to_string(below(6)), .upstreams = {}, .pass_host = true, .down = name()};
    for (std::size_t i = below(3); i > 0; --i)
      made.upstreams.push_back({.host = "10.0.0." + std::to_string(below(9)), .port = 80, .target = "t"});
    return made;
  }

  Route route() {
    static constexpr const char* kRules[] = {"Host(`%`)", "Host(`*.%`)", "Host(`%`) && Path(`/a`)", "PathPrefix(`/%`)",
                                             "Host(`%`) || Host(`b.%`)"};
    std::string rule = kRules[below(5)];
    const std::string host = name() + ".test";
    for (auto at = rule.find('%'); at != std::string::npos; at = rule.find('%')) rule.replace(at, 1, host);
    Route made{.name = name() + "x" + std::to_string(++made_),
               .rule = std::move(rule),
               .priority = static_cast<int>(below(4)),
               .listeners = {below(2) == 0 ? Listener::web : Listener::websecure},
               .service = "s" + std::to_string(below(6))};
    if (below(3) == 0)
      made.middlewares = {{"errors", ErrorPages{.status = {{500, 599}}, .service = "s1", .query = "/"}}};
    return made;
  }

  void change(Snapshot& snapshot) {
    switch (below(8)) {
      case 0:
        snapshot.settings.body_bytes = below(100);
        break;
      case 1:
        return change_list(snapshot.services, [&] { return service(); });
      case 2:
        return change_list(snapshot.certificates,
                           [&] { return Certificate{.hosts = {name()}, .chain = name(), .key = name()}; });
      case 3:
        return change_list(snapshot.tls_options, [&] { return TlsOptions{.name = name(), .curves = {"X25519"}}; });
      case 4:
        return change_list(snapshot.http_challenges, [&] { return HttpChallenge{name(), name(), name()}; });
      case 5:
        return change_list(snapshot.tls_challenges,
                           [&] { return Certificate{.hosts = {name()}, .chain = name(), .key = name()}; });
      case 6:
        snapshot.tcp.udp_services = {service()};
        break;
      default:
        return change_list(snapshot.routes, [&] { return route(); });
    }
  }

  std::mt19937 random_;
  int made_ = 0;
};

SnapshotPatch over_the_wire(const SnapshotPatch& patch) {
  auto got = decode_update(encode_patch(patch));
  EXPECT_TRUE(got.has_value()) << got.error().text();
  return std::get<SnapshotPatch>(*got);
}

TEST(SnapshotPatch, LeadsFromAnySnapshotToAnyOther) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Changes changes(seed);
    Snapshot base{.version = 1}, far = base;
    for (int i = 0; i < 60; ++i) {
      const Snapshot next = changes.next(base);
      const SnapshotPatch patch = patch_between(base, next);
      ASSERT_EQ(patched(base, over_the_wire(patch)).value(), next) << "seed " << seed << " step " << i;
      EXPECT_EQ(over_the_wire(patch), patch);
      if (i % 10 == 9) {
        ASSERT_EQ(patched(far, patch_between(far, next)).value(), next);
        far = next;
      }
      base = next;
    }
  }
}

TEST(SnapshotPatch, NamesOnlyWhatChanged) {
  Snapshot base{.version = 5};
  for (int i = 1000; i < 2000; ++i)
    base.routes.push_back(
        {.name = "r" + std::to_string(i), .rule = "Host(`a`)", .listeners = {Listener::web}, .service = "s"});
  Snapshot next = base;
  next.version = 6;
  next.routes[100].rule = "Host(`b`)";
  next.routes.erase(next.routes.begin() + 500);
  next.routes.insert(next.routes.begin() + 900,
                     {.name = "r1900x", .rule = "Host(`c`)", .listeners = {Listener::web}, .service = "s"});
  const SnapshotPatch patch = patch_between(base, next);
  ASSERT_EQ(patch.routes.size(), 3u);
  EXPECT_EQ(patch.routes[0], (Splice<Route>{100, 1, {next.routes[100]}}));
  EXPECT_EQ(patch.routes[1], (Splice<Route>{500, 1, {}}));
  EXPECT_EQ(patch.routes[2], (Splice<Route>{901, 0, {next.routes[900]}}));
  EXPECT_FALSE(patch.is_empty());
  EXPECT_LT(encode_patch(patch).size(), 1000u);
  EXPECT_TRUE(patch_between(next, next).is_empty());
}

TEST(SnapshotPatch, IsRefusedWhereItDoesNotFit) {
  Snapshot base{.version = 5}, next{.version = 6};
  next.settings.tracing = true;
  const SnapshotPatch patch = patch_between(base, next);
  base.version = 4;
  auto wrong = patched(base, patch);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().message, "snapshot: a change of version 5 came, and 4 is in use");
  base.version = 5;
  using Places = Splices<Route>;
  for (const Places& routes :
       {Places{{.at = 1}}, Places{{.at = 0, .drop = 1}}, Places{{.at = ~std::size_t{0}, .drop = 2}}})
    EXPECT_FALSE(patched(base, {.base = 5, .version = 6, .routes = routes}).has_value());
  for (const char* text : {R"({"format":2,"version":6})", R"({"format":2,"base":5})",
                           R"({"format":2,"version":6,"base":5,"routes":[{"at":-1,"drop":0}]})",
                           R"({"format":2,"version":6,"base":5,"routes":[{"at":0,"drop":0,"put":[{}]}]})",
                           R"({"format":4,"version":6,"base":5})", "", "{"})
    EXPECT_FALSE(decode_update(text).has_value()) << text;
  // An edge that knows no changes must not take one for a snapshot without routes.
  EXPECT_FALSE(decode_snapshot(encode_patch(patch)).has_value());
}

TEST(SnapshotPatch, KeepsItsForm) {
  Snapshot base{.version = 7}, next{.version = 8};
  base.http_challenges = {{"a", "t", "t.x"}, {"b", "u", "u.x"}};
  next.http_challenges = {{"b", "u", "u.x"}, {"c", "v", "v.x"}};
  EXPECT_EQ(encode_patch(patch_between(base, next)),
            R"({"format":2,"version":8,"base":7,"http_challenges":[{"at":0,"drop":1,"put":[]},)"
            R"({"at":2,"drop":0,"put":[{"host":"c","token":"v","answer":"v.x"}]}]})");
}

/// What the table decides for many requests, as text.
std::string decisions(const Live& live) {
  std::string out;
  for (const Listener listener : {Listener::web, Listener::websecure}) {
    for (int i = 0; i < 30; ++i) {
      for (const char* before : {"", "b."}) {
        const std::string host = before + ("n" + std::to_string(i)) + ".test";
        for (const char* path : {"/", "/a", "/n3.test"}) {
          const RequestFacts facts{.host = host, .method = "GET", .path = path, .query = {}, .client = {}};
          const Routes::Entry* entry = live.routes().find(listener, facts);
          out += live.routes().explain(listener, facts) + (entry ? entry->route.name + entry->service->down : "none") +
                 "\n";
          EXPECT_TRUE(!entry || entry->handler);
        }
        out += live.routes().knows_host(listener, host) ? "known\n" : "";
      }
    }
  }
  for (int i = 0; i < 9; ++i) out += live.names_upstream("10.0.0." + std::to_string(i) + "|80") ? "1" : "0";
  return out;
}

// What is shared with the table before decides as if all had been built anew.
TEST(SnapshotPatch, MakesTheSameTableAsTheWholeSnapshot) {
  for (unsigned seed = 0; seed < 4; ++seed) {
    Changes changes(seed);
    Snapshot base{.version = 1};
    // Each name several times: a table is refused when the last of one goes.
    for (int i = 0; i < 24; ++i)
      base.services.push_back({.name = "s" + std::to_string(i % 6), .upstreams = {}, .down = std::to_string(i)});
    auto live = Live::make(base).value();
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
      const Snapshot next = changes.next(base);
      const auto whole = Live::make(next);
      const auto changed = live->changed(patch_between(base, next));
      ASSERT_EQ(whole.has_value(), changed.has_value()) << "seed " << seed << " step " << i;
      refused += !whole;
      if (!whole) continue;  // as core would: from the last good one on
      EXPECT_EQ((*changed)->snapshot(), next);
      EXPECT_EQ((*changed)->warnings(), (*whole)->warnings());
      if (i % 10 == 0) {
        EXPECT_EQ(decisions(**changed), decisions(**whole)) << "seed " << seed << " step " << i;
      }
      live = *changed;
      base = next;
    }
    EXPECT_LT(refused, 50);
  }
}

TEST(SnapshotPatch, SharesWhatIsTheSame) {
  Snapshot base{.version = 1};
  for (const char* name : {"a", "b", "c"}) {
    base.services.push_back({.name = name, .upstreams = {}, .pass_host = true, .down = "none"});
    base.routes.push_back(
        {.name = name, .rule = "Host(`" + std::string(name) + "`)", .listeners = {Listener::web}, .service = name});
  }
  base.routes[2].middlewares = {{"errors", ErrorPages{.status = {{500, 599}}, .service = "a"}}};
  Snapshot next = base;
  next.version = 2;
  next.services[0].down = "another reason";
  const auto before = Live::make(base).value(), after = Live::make(next, before.get()).value();
  const auto &old = before->routes().entries(), &now = after->routes().entries();
  EXPECT_NE(now[0], old[0]) << "its service changed";
  EXPECT_EQ(now[1], old[1]);
  EXPECT_NE(now[2], old[2]) << "a service that its middleware asks changed";
  EXPECT_EQ(now[0]->service->down, "another reason");
  EXPECT_EQ(after->routes().services()[1], before->routes().services()[1]);
}

/// An edge as the feed sees it.
struct FeedTest : ::testing::Test {
  void change(std::size_t body_bytes) {
    Snapshot next = newest;
    ++next.version;
    next.settings.body_bytes = body_bytes;
    feed.add(patch_between(newest, next));
    newest = std::move(next);
  }
  /// What is sent: "whole 7", "5 to 6", "nothing".
  std::string sent() {
    const auto payload = feed.next(newest);
    if (!payload) return "nothing";
    const auto update = decode_update(*payload).value();
    if (const auto* whole = std::get_if<Snapshot>(&update)) return "whole " + std::to_string(whole->version);
    if (const auto* graft = std::get_if<SnapshotGraft>(&update)) return "graft " + std::to_string(graft->version);
    const auto& patch = std::get<SnapshotPatch>(update);
    return std::to_string(patch.base) + " to " + std::to_string(patch.version);
  }
  bool accept(std::uint64_t version) { return feed.take({.kind = EdgeEvent::Kind::accepted, .version = version}); }
  bool refuse() { return feed.take({.kind = EdgeEvent::Kind::refused, .detail = "why"}); }

  SnapshotFeed feed;
  Snapshot newest{.version = 5};
};

TEST_F(FeedTest, SendsOneUpdateAfterTheOther) {
  newest.version = 0;
  EXPECT_EQ(sent(), "nothing") << "there is none yet";
  newest.version = 5;
  EXPECT_EQ(sent(), "whole 5");
  change(1);
  change(2);
  EXPECT_EQ(sent(), "nothing") << "an answer is awaited";
  EXPECT_FALSE(accept(3)) << "what the edge had before";
  EXPECT_EQ(sent(), "nothing");
  EXPECT_TRUE(accept(5));
  EXPECT_EQ(sent(), "5 to 6");
  EXPECT_TRUE(accept(6));
  EXPECT_EQ(sent(), "6 to 7");
  EXPECT_TRUE(accept(7));
  EXPECT_EQ(sent(), "nothing");
  change(3);
  EXPECT_EQ(sent(), "7 to 8");
}

TEST_F(FeedTest, SendsAGraftWhileThereIsNoSnapshot) {
  newest.version = 0;
  feed.add(SnapshotGraft{.version = 2});
  feed.add(SnapshotGraft{.version = 3});
  EXPECT_EQ(sent(), "graft 3");
  newest.version = 5;
  EXPECT_EQ(sent(), "nothing") << "an answer is awaited";
  EXPECT_TRUE(accept(3));
  EXPECT_EQ(sent(), "whole 5") << "what the edge has is not known here";
  EXPECT_TRUE(accept(5));
  change(1);
  EXPECT_EQ(sent(), "5 to 6");
}

TEST_F(FeedTest, SendsAllAfterARefusedGraft) {
  feed.add(SnapshotGraft{.version = 2});
  newest.version = 0;
  EXPECT_EQ(sent(), "graft 2");
  EXPECT_TRUE(refuse());
  EXPECT_EQ(sent(), "nothing");
  newest.version = 5;
  feed.add(SnapshotGraft{.version = 4});
  EXPECT_EQ(sent(), "whole 5") << "it holds what the graft would bring";
}

Route route_named(std::string name, std::string host) {
  return {
      .name = std::move(name), .rule = "Host(`" + host + "`)", .listeners = {Listener::websecure}, .service = "own"};
}

Certificate certificate_for(std::string host, std::string chain) {
  return {.hosts = {std::move(host)}, .chain = std::move(chain), .key = "key"};
}

TEST(Graft, ReplacesWhatHasItsNames) {
  const Snapshot base{
      .version = 7,
      .routes = {route_named("own", "a.test"), route_named("other", "b.test")},
      .services = {{.name = "own", .upstreams = {}, .down = "old"}, {.name = "other", .upstreams = {}, .down = "it"}},
      .certificates = {certificate_for("a.test", "old"), certificate_for("b.test", "b")}};
  const SnapshotGraft graft{.version = 9,
                            .routes = {route_named("own", "c.test")},
                            .services = {{.name = "own", .upstreams = {}, .down = "new"}},
                            .certificates = {certificate_for("a.test", "new")}};
  const auto read = std::get<SnapshotGraft>(decode_update(encode_graft(graft)).value());
  EXPECT_EQ(read, graft);
  const Snapshot made = grafted(base, read);
  EXPECT_EQ(made.version, 9u);
  ASSERT_EQ(made.routes.size(), 2u);
  EXPECT_EQ(made.routes[0], base.routes[1]);
  EXPECT_EQ(made.routes[1], graft.routes[0]);
  EXPECT_EQ(made.services, (std::vector<Service>{base.services[1], graft.services[0]}));
  EXPECT_EQ(made.certificates, (std::vector<Certificate>{base.certificates[1], graft.certificates[0]}));
  EXPECT_EQ(decode_update("{\"format\":3}").error().message, "snapshot: what is added lacks its version");
}

TEST_F(FeedTest, SendsAllToAnotherEdge) {
  EXPECT_EQ(sent(), "whole 5");
  EXPECT_TRUE(accept(5));
  change(1);
  feed.begin();
  EXPECT_EQ(sent(), "whole 6");
  change(2);
  feed.begin();
  EXPECT_EQ(sent(), "whole 7");
}

TEST_F(FeedTest, SendsAllAfterARefusedChange) {
  EXPECT_EQ(sent(), "whole 5");
  EXPECT_TRUE(accept(5));
  change(1);
  change(2);
  EXPECT_EQ(sent(), "5 to 6");
  EXPECT_TRUE(refuse());
  EXPECT_EQ(sent(), "whole 7");
  EXPECT_TRUE(refuse());
  EXPECT_EQ(sent(), "nothing") << "it would be refused again";
  change(3);
  EXPECT_EQ(sent(), "whole 8");
  EXPECT_TRUE(accept(8));
  change(4);
  EXPECT_EQ(sent(), "8 to 9");
}

TEST_F(FeedTest, SendsAllWhereChangesPileUp) {
  EXPECT_EQ(sent(), "whole 5");
  for (std::size_t i = 0; i < 1000; ++i) change(i);
  EXPECT_TRUE(accept(5));
  EXPECT_EQ(sent(), "whole 1005");
}

}  // namespace
}  // namespace berth::edge
