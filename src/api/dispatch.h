// From a request to a handler: the checks that every route has, in one place and one order.
#pragma once

#include <functional>
#include <memory>

#include "api/match.h"
#include "api/pace.h"
#include "job/journal.h"

namespace berth::api {

/// Where a request came in.
struct Door {
  bool local = false;       ///< the unix socket: `who` asks, whatever the request says
  auth::Principal who{};    ///< of the local door
  std::string client = {};  ///< address of the client as the edge told it
};

/// Who asks: of a session's cookie or of a token, Authorization first. Nobody (an empty id) where there is neither;
/// Code::denied where what there is does not hold.
using Identify = std::function<io::Task<Result<auth::Principal>>(const http::RequestHead& head, std::string client)>;
/// Keeps an audit entry; its number.
using Keep = std::function<io::Task<Result<std::int64_t>>(job::Entry entry)>;

struct DispatchOptions {
  Identify identify{};
  Keep keep{};
  std::function<std::int64_t()> now{};  ///< microseconds since 1970
  Allowance client{.per_second = 50, .burst = 300};
  Allowance token{.per_second = 50, .burst = 300};
  std::size_t streams = 100;  ///< open ones of one principal; "local" has no bound
};

/// Answers everything below /api. In this order: the client's rate, the path (404, 405), the origin, who asks (401),
/// the token's rate, the permission (403, or 404 as the loader says), query and body (400), what is begun into the
/// audit, the handler within its deadline, its outcome into the audit, ETag. Thread: its loop's.
class Dispatch {
 public:
  /// Code::invalid for a table with two routes that mean the same.
  static Result<std::unique_ptr<Dispatch>> make(Routes routes, DispatchOptions options);
  io::Task<Result<void>> answer(const Door& door, http::ServerRequest& request, http::ResponseWriter& response);
  const Routes& routes() const { return table_.routes(); }

 private:
  struct Asked;
  Dispatch(RouteTable table, DispatchOptions options);
  io::Task<Result<Reply>> decide(Asked& asked);
  io::Task<Result<void>> load_principal(Asked& asked);
  Result<void> check_permission(Asked& asked);
  io::Task<Result<void>> decode(Asked& asked);
  io::Task<Result<Reply>> handle(Asked& asked);
  io::Task<Result<Reply>> stream(Asked& asked, const Stream& handler);
  job::Entry entry_of(const Asked& asked, job::Decision decision) const;
  io::Task<Result<void>> begin(Asked& asked);
  io::Task<Result<void>> keep(const Asked& asked, const Result<Reply>& outcome);

  RouteTable table_;
  DispatchOptions options_;
  Pace clients_, tokens_;
  std::map<std::string, std::size_t> streams_;
};

}  // namespace berth::api
