// The keeper against a CA on a loopback socket that knows renewal information, refuses all orders or takes all without
// a challenge; challenges are tested with a real CA.
#include "edge/acme_keeper.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <filesystem>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "edge/certificate.h"
#include "edge/certificate_request.h"
#include "edge/x509.h"
#include "http/server.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

std::chrono::sys_seconds wall_now() {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

/// A certificate for the key of a request (DER).
Result<std::string> sign_request(const Authority& authority, std::string_view der, std::vector<std::string> hosts) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)> request(
      d2i_X509_REQ(nullptr, &bytes, static_cast<long>(der.size())), X509_REQ_free);
  if (!request) return fail(Code::invalid, "no request");
  const x509::Key own = TRY(x509::key_from(authority.key));
  const x509::Cert root = TRY(x509::certificate_from(authority.certificate));
  const x509::Cert leaf = TRY(x509::blank(X509_REQ_get0_pubkey(request.get()), wall_now() - 1h, wall_now() + 2000h));
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(root.get()));
  const x509::Extension names = TRY(x509::hosts_extension(hosts));
  X509_add_ext(leaf.get(), names.get(), -1);
  if (X509_sign(leaf.get(), own.get(), EVP_sha256()) == 0) return x509::crypto_failed("signing");
  return x509::pem_of(leaf.get());
}

/// Refuses every order, or issues at once, and wants every certificate renewed.
struct Ca {
  std::string base;  ///< URL
  std::string window = R"({"suggestedWindow":{"start":"2020-01-01T00:00:00Z","end":"2020-01-02T00:00:00Z"}})";
  std::vector<std::string> asked;  ///< "GET /dir"
  std::string order;               ///< payload of the last one
  bool issues = false;
  std::vector<std::string> orders{}, names{};           ///< of identifiers with ',' between; of the last one
  std::optional<std::vector<std::string>> signs_for{};  ///< instead of what was ordered
  std::string chain{};
  Authority authority = make_authority("CA", {"example.com"}, wall_now()).value();

  io::Task<Result<void>> answer(http::ServerRequest& request, http::ResponseWriter& response) {
    const std::string path(request.head().path);
    asked.push_back(std::string(request.head().method) + " " + path);
    const http::Headers nonce{{"Replay-Nonce", "n"}, {"Location", base + "/me"}};
    if (path == "/dir") co_return co_await response.send(200, {}, directory());
    if (path == "/nonce") co_return co_await response.send(200, nonce, "");
    if (path.starts_with("/ari/")) co_return co_await response.send(200, {{"Retry-After", "7200"}}, window);
    if (path == "/account") co_return co_await response.send(201, nonce, "{}");
    const Json signed_text = CO_TRY(parse_json(CO_TRY(co_await request.body(1 << 20))));
    if (path == "/certificate") co_return co_await response.send(200, nonce, chain);
    if (path == "/finalize") {
      const Json payload = CO_TRY(parse_json(CO_TRY(decode_base64(signed_text["payload"].text()))));
      chain = CO_TRY(sign_request(authority, CO_TRY(decode_base64(payload["csr"].text())), signs_for.value_or(names)));
      co_return co_await response.send(200, nonce, state("valid"));
    }
    order = CO_TRY(decode_base64(signed_text["payload"].text()));
    if (issues) {
      take_order();
      co_return co_await response.send(201, nonce, state("ready"));
    }
    co_return co_await response.send(403, nonce, R"({"type":"urn:ietf:params:acme:error:unauthorized","detail":"no"})");
  }
  void take_order() {
    names.clear();
    const Json payload = parse_json(order).value_or(Json());
    for (const Json& each : payload["identifiers"].items()) names.emplace_back(each["value"].text());
    orders.push_back(join(names, ","));
  }
  std::string state(std::string_view status) const {
    return Json::object({{"status", status}, {"finalize", base + "/finalize"}, {"certificate", base + "/certificate"}})
        .dump();
  }
  std::string directory() const {
    return R"({"newNonce":")" + base + R"(/nonce","newAccount":")" + base + R"(/account","newOrder":")" + base +
           R"(/order","renewalInfo":")" + base + R"(/ari"})";
  }
};

io::Task<void> run_ca(io::Listener& listener, const http::Handler& handler) {
  const auto served = co_await http::serve(listener, handler);
  static_cast<void>(served);
}

class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() : path_(std::string(::testing::TempDir()) + "berth-keeper-" + std::to_string(::getpid()) + "-XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
    listener_ = io::Listener::open(loop_, io::Address::parse("127.0.0.1:0").value()).value();
    ca_.base = "http://" + listener_->address().text();
  }
  ~KeeperTest() override { std::filesystem::remove_all(path_); }

  /// Runs a keeper until it says something.
  io::Task<void> run_until_told(AcmeKeeper& keeper) {
    const http::Handler handler = [this](auto& request, auto& response) { return ca_.answer(request, response); };
    io::Scope scope(co_await io::here());
    scope.spawn(run_ca(*listener_, handler));
    scope.spawn(keeper.run());
    const auto waited = co_await io::within(10s, wait());
    EXPECT_TRUE(waited.has_value()) << "nothing was told";
    scope.cancel();
    co_await scope.join();
  }
  io::Task<Result<void>> wait() { co_return co_await told_.wait(); }

  AcmeKeeper keeper() {
    return AcmeKeeper(AcmeStore::open(path_).value(), {{.name = "le", .directory = ca_.base + "/dir"}},
                      {.challenge = {},
                       .changed = [this] { changed_(); },
                       .say =
                           [this](const std::string& line) {
                             lines_.push_back(line);
                             told_.set();
                           }});
  }

  std::string path_;
  io::Loop loop_;
  std::unique_ptr<io::Listener> listener_;
  Ca ca_;
  io::Event told_;
  std::function<void()> changed_ = [] {};
  std::vector<std::string> lines_;
};

const WantedCertificate kWanted{{"a.example.com"}, "le"};

TEST_F(KeeperTest, RenewsInTheWindowOfTheCaAndKeepsTheOldOneMeanwhile) {
  const auto authority = make_authority("CA", {"example.com"}, wall_now()).value();
  const auto leaf = issue(authority, {"a.example.com"}, wall_now()).value();
  const auto store = AcmeStore::open(path_).value();
  ASSERT_TRUE(store.save(id_of(kWanted), leaf).has_value());
  ASSERT_TRUE(store.save(id_of(kWanted), AcmeState{.hosts = {"a.example.com"}, .resolver = "le", .issuer = "le"}));
  AcmeKeeper keeper = this->keeper();
  EXPECT_TRUE(keeper.want({kWanted}));
  loop_.run(run_until_told(keeper));
  const std::string id = renewal_id(leaf.chain).value();
  EXPECT_EQ(std::ranges::count(ca_.asked, "GET /ari/" + id), 1);
  EXPECT_EQ(parse_json(ca_.order).value()["replaces"].text(), id);
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0], "no certificate for a.example.com: le: the CA refused: no (unauthorized); next try in 60 s");
  ASSERT_EQ(keeper.certificates().size(), 1u);
  EXPECT_EQ(keeper.certificates()[0].chain, leaf.chain);
  const AcmeState kept = store.state(id_of(kWanted)).value();
  EXPECT_TRUE(kept.window.has_value());
  EXPECT_GT(kept.ask_window, wall_now() + 7000s);
  EXPECT_LE(kept.ask_window, wall_now() + 7200s);
  EXPECT_EQ(kept.failures, 1);
  // Another keeper, after a restart, waits as long.
  AcmeKeeper later = this->keeper();
  later.want({kWanted});
  EXPECT_EQ(store.state(id_of(kWanted)).value(), kept);
}

TEST_F(KeeperTest, OrdersWhatIsMissing) {
  AcmeKeeper keeper = this->keeper();
  EXPECT_FALSE(keeper.want({kWanted}));
  EXPECT_TRUE(keeper.certificates().empty());
  loop_.run(run_until_told(keeper));
  EXPECT_EQ(ca_.asked, (std::vector<std::string>{"GET /dir", "HEAD /nonce", "POST /account", "POST /order"}));
  EXPECT_EQ(ca_.order, R"({"identifiers":[{"type":"dns","value":"a.example.com"}]})");
  EXPECT_FALSE(keeper.want({})) << "it had none";
}

TEST_F(KeeperTest, UsesAnotherCertificateThatCoversTheHosts) {
  const auto authority = make_authority("CA", {"example.com"}, wall_now()).value();
  const auto store = AcmeStore::open(path_).value();
  const WantedCertificate wildcard{{"*.example.com"}, "other"};
  ASSERT_TRUE(store.save(id_of(wildcard), issue(authority, {"*.example.com"}, wall_now()).value()));
  ASSERT_TRUE(store.save(id_of(wildcard), AcmeState{.hosts = wildcard.hosts, .resolver = "other"}));
  AcmeKeeper keeper = this->keeper();
  EXPECT_TRUE(keeper.want({kWanted}));
  ASSERT_EQ(keeper.certificates().size(), 1u);
  EXPECT_EQ(keeper.certificates()[0].hosts, wildcard.hosts);
}

TEST_F(KeeperTest, OrdersAgainWhenTheNamesOfARouteChange) {
  ca_.issues = true;
  AcmeKeeper keeper = this->keeper();
  keeper.want({{{"a.example.com", "b.example.com"}, "le"}});
  loop_.run(run_until_told(keeper));
  ASSERT_EQ(keeper.certificates().size(), 1u) << join(lines_, "\n");
  EXPECT_EQ(keeper.certificates()[0].hosts, (std::vector<std::string>{"a.example.com", "b.example.com"}));
  // One name less: what is at hand covers the rest, and counts until it is to be renewed.
  told_.reset();
  EXPECT_TRUE(keeper.want({{{"b.example.com"}, "le"}}));
  ASSERT_EQ(keeper.certificates().size(), 1u);
  EXPECT_EQ(keeper.certificates()[0].hosts.size(), 2u);
  // Another name: nothing covers it, and the one before is not shown for it meanwhile.
  keeper.want({{{"b.example.com", "c.example.com"}, "le"}});
  EXPECT_TRUE(keeper.certificates().empty());
  loop_.run(run_until_told(keeper));
  EXPECT_EQ(ca_.orders, (std::vector<std::string>{"a.example.com,b.example.com", "b.example.com,c.example.com"}));
  ASSERT_EQ(keeper.certificates().size(), 1u) << join(lines_, "\n");
  EXPECT_EQ(keeper.certificates()[0].hosts, (std::vector<std::string>{"b.example.com", "c.example.com"}));
}

TEST_F(KeeperTest, RefusesACertificateThatLacksANameThatWasOrdered) {
  ca_.issues = true;
  ca_.signs_for = {"a.example.com"};
  AcmeKeeper keeper = this->keeper();
  keeper.want({{{"a.example.com", "b.example.com"}, "le"}});
  loop_.run(run_until_told(keeper));
  EXPECT_TRUE(keeper.certificates().empty());
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0],
            "no certificate for a.example.com: le: the CA's certificate does not name all hosts that were "
            "ordered; next try in 60 s");
}

TEST_F(KeeperTest, TakesWhatIsImportedWhileItRuns) {
  AcmeKeeper keeper = this->keeper();
  keeper.want({kWanted});
  loop_.run(run_until_told(keeper));  // its order failed
  const auto asked = ca_.asked.size();
  const auto authority = make_authority("CA", {"example.com"}, wall_now()).value();
  const auto store = AcmeStore::open(path_).value();
  const WantedCertificate wildcard{{"*.example.com"}, "other"};
  ASSERT_TRUE(store.save(id_of(wildcard), issue(authority, {"*.example.com"}, wall_now()).value()));
  ASSERT_TRUE(store.save(id_of(wildcard), AcmeState{.hosts = wildcard.hosts, .resolver = "other"}));
  ASSERT_TRUE(store.announce_import());
  told_.reset();
  changed_ = [this] { told_.set(); };
  loop_.run(run_until_told(keeper));
  ASSERT_EQ(keeper.certificates().size(), 1u);
  EXPECT_EQ(ca_.asked.size(), asked);
  EXPECT_FALSE(store.take_import());
}

}  // namespace
}  // namespace berth::edge
