// The connection to one Docker Engine: version settled, calls with deadlines, errors in berth's terms.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "engine/address.h"
#include "engine/feature.h"
#include "http/client.h"
#include "io/task.h"

namespace berth::engine {

/// Query parameters, still unencoded, in order.
using Query = std::vector<std::pair<std::string, std::string>>;
using http::Headers;

/// One request to the engine. `path` is below the version prefix, with its segments already encoded (path_of).
struct Call {
  std::string method = "GET";
  std::string path{};
  Query query{};
  Json body{};                                 ///< null: no body
  Headers headers{};                           ///< beyond Host and the body's own
  std::chrono::milliseconds deadline{60'000};  ///< of the whole call; of the head alone for streams; 0: none
  std::size_t reply_limit = 32u << 20;         ///< bytes of the decoded reply
};

/// "/containers/{}/json" with `name` percent-encoded as one segment in place of {}.
std::string path_of(std::string_view pattern, std::string_view name);
/// {"label": ["a=b"], ...} as the `filters` parameter wants it; pairs of equal names join one list.
std::string filters_text(const Query& filters);

/// A client of one engine. The typed calls are free functions over it: container.h, exec.h, image.h, build.h, network.h
/// (networks and volumes), event.h, system.h. Every call inherits the awaiting task's cancellation; plain calls have a
/// deadline (Code::timeout) and a bounded reply (Code::internal). Replies map to codes: 400 invalid, 401/403 denied,
/// 404 not_found, 409 conflict, 5xx internal (503 unavailable), no socket or refused unavailable, no permission on the
/// socket denied with what to do; the message is the engine's own.
/// Thread: loop only. Calls may run concurrently; each uses a pooled connection of its own.
class Client {
 public:
  /// Dials once, asks /_ping and settles the version. Without `dialer` the address alone must do (make_dialer).
  static io::Task<Result<std::unique_ptr<Client>>> connect(Address address,
                                                           std::unique_ptr<io::Dialer> dialer = nullptr);

  const Address& address() const { return address_; }
  /// The API version in use. It moves when the engine was replaced by one that refuses it.
  ApiVersion version() const { return version_; }
  bool has(Feature feature) const { return engine::has(version_, feature); }
  /// Code::invalid: "`subject` needs <feature>, which came with API 1.44; this engine speaks 1.41".
  Result<void> require(Feature feature, std::string_view subject) const;

  /// One call, its whole reply as JSON (null when empty).
  io::Task<Result<Json>> call(Call call);
  /// One call whose reply streams; any 2xx. The body may end early: read it to its end or drop it.
  io::Task<Result<http::Exchange>> stream(Call call);
  /// One call whose request body streams from `source` while `consume` reads its reply; no deadline on either.
  io::Task<Result<void>> upload(Call call, http::Source source, http::Consumer consume);
  /// One call that takes over its connection (101, or 200 as old engines answer).
  io::Task<Result<http::Upgraded>> upgrade(Call call);

 private:
  Client(Address address, std::unique_ptr<io::Dialer> dialer);
  io::Task<Result<void>> settle_version();
  bool adapt(const Error& refusal);
  std::string prefix() const { return "/v" + version_.text(); }

  Address address_;
  ApiVersion version_ = kOldestApi;
  http::Pool pool_;
};

}  // namespace berth::engine
