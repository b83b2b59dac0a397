#include "edge/acme_store.h"

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "edge/certificate_request.h"
#include "io/file.h"

namespace berth::edge {
namespace {

using Time = std::chrono::sys_seconds;

constexpr std::size_t kMostFile = 1u << 20;

std::int64_t count_of(Time time) {
  return time.time_since_epoch().count();
}
Time time_of(const Json& json) {
  return Time(std::chrono::seconds(json.integer()));
}

}  // namespace

std::string encode_state(const AcmeState& state) {
  Json hosts = Json::array(), orders = Json::object();
  for (const std::string& host : state.hosts) hosts.push(host);
  for (const auto& [resolver, url] : state.orders) orders.set(resolver, url);
  Json json = Json::object({{"hosts", std::move(hosts)},
                            {"resolver", state.resolver},
                            {"issuer", state.issuer},
                            {"orders", std::move(orders)},
                            {"failures", state.failures},
                            {"next_try", count_of(state.next_try)},
                            {"error", state.error},
                            {"ask_window", count_of(state.ask_window)}});
  if (state.window)
    json.set("window", Json::object({{"start", count_of(state.window->start)},
                                     {"end", count_of(state.window->end)},
                                     {"explanation", state.window->explanation}}));
  return json.dump(1) + "\n";
}

Result<AcmeState> decode_state(std::string_view text) {
  const Json json = TRY(parse_json(text));
  AcmeState state{.hosts = {},
                  .resolver = std::string(json["resolver"].text()),
                  .issuer = std::string(json["issuer"].text()),
                  .orders = {},
                  .failures = static_cast<int>(json["failures"].integer()),
                  .next_try = time_of(json["next_try"]),
                  .error = std::string(json["error"].text()),
                  .window = {},
                  .ask_window = time_of(json["ask_window"])};
  for (const Json& host : json["hosts"].items()) state.hosts.emplace_back(host.text());
  for (const auto& [resolver, url] : json["orders"].members()) state.orders[resolver] = url.text();
  if (const Json& window = json["window"]; window.is_object())
    state.window = {time_of(window["start"]), time_of(window["end"]), std::string(window["explanation"].text())};
  if (state.hosts.empty() || state.resolver.empty()) return fail(Code::invalid, "it lacks hosts or resolver");
  return state;
}

Result<AcmeStore> AcmeStore::open(std::string folder) {
  AcmeStore store(std::move(folder));
  TRY(io::make_folder(store.folder_, 0700));
  TRY(io::make_folder(store.wishes(), 0700));
  return store;
}

// Ids come from id_of: a host and hex digits. Those from file names are taken as they are found in the folder.
std::string AcmeStore::path(const std::string& id, std::string_view ending) const {
  return folder_ + "/" + id + std::string(ending);
}

std::vector<std::string> AcmeStore::ids() const {
  std::vector<std::string> out;
  const auto names = io::list_folder(folder_);
  if (!names) return out;
  for (const std::string& name : *names)
    if (name.ends_with(".json") && !name.starts_with("account-")) out.push_back(name.substr(0, name.size() - 5));
  return out;
}

Result<AcmeState> AcmeStore::state(const std::string& id) const {
  auto state = decode_state(TRY(io::read_file(path(id, ".json"), kMostFile)));
  if (!state) return fail(Code::not_found, path(id, ".json") + ": " + state.error().message);
  return state;
}

Result<void> AcmeStore::save(const std::string& id, const AcmeState& state) const {
  return io::write_file(path(id, ".json"), encode_state(state), 0600);
}

Result<Certificate> AcmeStore::certificate(const std::string& id) const {
  const auto bundle = split_bundle(TRY(io::read_file(path(id, ".pem"), kMostFile)));
  if (!bundle) return fail(bundle.error());
  return load_certificate(bundle->chain, bundle->key);
}

Result<void> AcmeStore::save(const std::string& id, const Certificate& certificate) const {
  const std::string gap = certificate.key.ends_with('\n') ? "" : "\n";
  return io::write_file(path(id, ".pem"), certificate.key + gap + certificate.chain, 0600);
}

Result<std::string> AcmeStore::order_key(const std::string& id, KeyType type) const {
  const std::string file = path(id, ".key");
  if (auto kept = io::read_file(file, kMostFile)) return kept;
  auto key = TRY(make_key(type));
  TRY(io::write_file(file, key, 0600));
  return key;
}

void AcmeStore::forget_order_key(const std::string& id) const {
  static_cast<void>(io::remove_file(path(id, ".key")));
}

std::string AcmeStore::account_path(const Resolver& resolver) const {
  const std::string what = resolver.directory + "\n" + resolver.email + "\n" + resolver.binding.kid;
  return folder_ + "/account-" + sha256_hex(what).substr(0, 16);
}

Result<AcmeAccount> AcmeStore::account(const Resolver& resolver) const {
  const std::string base = account_path(resolver);
  AcmeAccount account;
  if (auto key = io::read_file(base + ".key", kMostFile)) {
    account.key = std::move(*key);
    const auto text = io::read_file(base + ".json", kMostFile);
    const auto json = text ? parse_json(*text) : Result<Json>(Json());
    if (json) account.url = (*json)["url"].text();
    return account;
  }
  account.key = TRY(make_key(KeyType::ec256));
  TRY(io::write_file(base + ".key", account.key, 0600));
  return account;
}

Result<void> AcmeStore::save_account(const Resolver& resolver, const std::string& url) const {
  const Json json = Json::object({{"directory", resolver.directory}, {"email", resolver.email}, {"url", url}});
  return io::write_file(account_path(resolver) + ".json", json.dump(1) + "\n", 0600);
}

Result<void> AcmeStore::import_account(const Resolver& resolver, const AcmeAccount& account) const {
  const std::string file = account_path(resolver) + ".key";
  if (auto kept = io::read_file(file, kMostFile)) {
    if (*kept == account.key) return {};
    return fail(Code::conflict, "there is an account of " + resolver.email + " at " + resolver.directory + " already");
  }
  TRY(save_account(resolver, account.url));
  return io::write_file(file, account.key, 0600);
}

// No id: those hold hex digits behind a host.
constexpr std::string_view kImported = "/imported";

Result<void> AcmeStore::announce_import() const {
  return io::write_file(wishes() + std::string(kImported), "", 0600);
}

bool AcmeStore::take_import() const {
  const std::string file = wishes() + std::string(kImported);
  return io::exists(file) && io::remove_file(file);
}

Result<void> AcmeStore::wish_renewal(const std::string& id) const {
  return io::write_file(wishes() + "/" + id, "", 0600);
}

std::vector<std::string> AcmeStore::take_wishes() const {
  std::vector<std::string> out;
  const auto names = io::list_folder(wishes());
  if (!names) return out;
  for (const std::string& name : *names) {
    // Others are files on their way to their name, or of no meaning.
    if (io::exists(path(name, ".json")) && io::remove_file(wishes() + "/" + name)) out.push_back(name);
  }
  return out;
}

}  // namespace berth::edge
