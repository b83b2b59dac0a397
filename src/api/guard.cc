#include "api/guard.h"

#include "base/text.h"
#include "http/websocket.h"

namespace berth::api {
namespace {

// Without the port that https has anyway.
std::string_view plain(std::string_view authority) {
  return authority.ends_with(":443") ? authority.substr(0, authority.size() - 4) : authority;
}

bool is_ours(std::string_view origin, std::string_view authority) {
  constexpr std::string_view kScheme = "https://";
  return origin.starts_with(kScheme) && equal_fold(plain(origin.substr(kScheme.size())), plain(authority));
}

}  // namespace

bool has_bearer(const http::RequestHead& head) {
  const std::string_view value = head.fields.get("Authorization");
  return value.size() > 7 && equal_fold(value.substr(0, 7), "Bearer ");
}

Result<void> check_origin(const http::RequestHead& head, bool upgrades) {
  if (has_bearer(head)) return {};
  bool known = false;
  for (const http::Field& field : head.fields) {
    if (!equal_fold(field.name, "Origin")) continue;
    if (!is_ours(field.value, head.authority)) return fail(Code::denied, "this request comes from another site");
    known = true;
  }
  const bool changes = upgrades || http::opens_websocket(head) || (head.method != "GET" && head.method != "HEAD");
  const std::string_view site = head.fields.get("Sec-Fetch-Site");
  if (changes && !site.empty() && site != "same-origin")
    return fail(Code::denied, "this request comes from another site");
  const bool elsewhere = site == "cross-site" || site == "same-site";
  if (!changes && elsewhere && head.fields.get("Sec-Fetch-Mode") != "navigate")
    return fail(Code::denied, "this request comes from another site");
  if (changes && !known && site.empty())
    return fail(Code::denied, "a change needs an Origin of this host, or a token as Authorization: Bearer");
  return {};
}

}  // namespace berth::api
