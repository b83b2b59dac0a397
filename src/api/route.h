// The route table: method, path, permission, handler. Dispatch, OpenAPI and the authorization test read the same one.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/principal.h"
#include "base/json.h"
#include "http/server.h"

namespace berth::api {

using auth::Permission;
using http::Headers;

/// What the audit entry of a request says beyond verb, caller and decision. A handler fills in what it knows; of what
/// {project} in the path names, and of the first other parameter ("container:web-1"), dispatch has filled it in.
struct Record {
  std::string subject{};
  std::string project{};
  Json difference{};  ///< never a secret
  bool kept = false;  ///< the handler wrote the entry itself, also of a denied attempt
};

/// One request of the API, decoded. Lives until its handler returns.
struct Call {
  std::string method{};
  std::map<std::string, std::string, std::less<>> path{};   ///< {"id", "web-1"} of "/containers/{id}", decoded
  std::map<std::string, std::string, std::less<>> query{};  ///< decoded; a name given twice was refused
  Json body{};                                              ///< of routes with fields; {} when none was sent
  auth::Principal who{};                                    ///< `from` names the client also where nobody is signed in
  std::string id{};                                         ///< of this request, for logs
  Record record{};
  bool denied = false;  ///< what was asked for is hidden from the caller: the audit says denied
  const http::RequestHead* head = nullptr;
  http::ServerRequest* request = nullptr;    ///< its body, of routes with Body::raw
  http::ResponseWriter* response = nullptr;  ///< of routes that stream or upgrade

  std::string_view parameter(std::string_view name) const;                               ///< of the path; "" without it
  std::string_view option(std::string_view name, std::string_view fallback = {}) const;  ///< of the query
  bool flag(std::string_view name) const;                                                ///< "1" or "true"
  std::int64_t number(std::string_view name, std::int64_t fallback) const;
};

/// What a plain route answers; null `body` with 204 sends none. Of a GET that answers 200, dispatch adds the ETag.
struct Reply {
  int status = 200;
  Json body{};
  Headers headers{};
};
/// 202 {"job": id}.
Reply accepted(std::string job);
/// The error body with a code of its own ("totp_required"), where an Error has none that fits.
Reply problem(int status, std::string_view code, std::string_view message);
/// One page of a list by ?limit= (100 unless said, at most 1000) and ?cursor=, which is the place of its first item:
/// {"items", "next", "stale"}. `items` come in an order that stays.
Reply page(const Call& call, std::vector<Json> items, Json stale = {});

using Answer = std::function<io::Task<Result<Reply>>(Call&)>;
/// Writes its reply itself: events, raw downloads, terminals. An error before its first byte is answered by dispatch.
using Stream = std::function<io::Task<Result<void>>(Call&)>;

/// One parameter or field for OpenAPI and validation: a body with an unknown or missing field, or one of another type,
/// is refused before the handler runs. Fields that are not required may be null.
struct Parameter {
  std::string_view name{};
  std::string_view type = "string";  ///< string, integer, number, boolean, array, object
  std::string_view meaning{};
  bool required = false;
};

/// What a handler checks itself, with may() on what it loaded; the route says which permission that is. A thing that
/// the caller may not view is answered as if it did not exist.
enum class Where {
  whole,    ///< the permission is checked by dispatch, for the whole
  project,  ///< checked by dispatch for the project that {project} in the path names
  loaded,   ///< checked where the thing is loaded (Principal goes to the loader); dispatch wants somebody signed in
};

/// The permission of a route. There is no default: a route that names none does not compile.
class Needs {
 public:
  constexpr Needs(Permission permission) : permission_(permission) {}
  Needs() = delete;
  constexpr operator Permission() const { return permission_; }

 private:
  Permission permission_;
};

enum class Body {
  fields,  ///< application/json with the members that `fields` names; none named: no body
  raw,     ///< the handler reads Call::request itself
};

struct Route {
  std::string_view method;
  /// "/api/v1/containers/{id}/start". A parameter is one segment; "{path*}" at the end takes all that follow.
  std::string_view path;
  Needs needs;
  Where where;
  std::string_view summary;
  std::variant<Answer, Stream> handler;
  std::vector<Parameter> query{};
  std::vector<Parameter> fields{};  ///< of the JSON body
  bool records = true;              ///< not GET: dispatch writes an audit entry; false: the handler does in its change
  std::string_view verb{};          ///< of the audit, "container.start"; "" makes one of method and path
  Body body = Body::fields;
  std::size_t most_body = 1u << 20;            ///< bytes of a JSON body
  std::chrono::milliseconds deadline{60'000};  ///< of an Answer; 0: none
  bool upgrades = false;                       ///< a WebSocket: its Origin is checked as of a change
};
using Routes = std::vector<Route>;

}  // namespace berth::api
