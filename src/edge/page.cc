#include "edge/page.h"

#include "base/json.h"

namespace berth::edge {
namespace {

std::string json_body(const OwnReply& reply) {
  const std::string reason(http::reason_of(reply.status));
  return Json::object({{"error", reason}, {"code", reply.status}, {"message", reply.message}}).dump() + "\n";
}

// `message` is a constant of ours: nothing of the request is in it that would need escaping.
std::string html_body(const OwnReply& reply) {
  const std::string title = std::to_string(reply.status) + " " + std::string(http::reason_of(reply.status));
  return "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" + title +
         "</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:15vh auto;padding:0 1em;"
         "color:#222}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}</style><h1>" +
         title + "</h1><p>" + std::string(reply.message) + "</p></html>\n";
}

}  // namespace

std::string make_own_reply(const OwnReply& reply, http::ResponseHead& head) {
  const bool bare = reply.status < 300;
  const bool json = !bare && reply.accept.contains("application/json");
  const bool html = !bare && reply.accept.contains("text/html");
  std::string body = bare            ? std::string(reply.message)
                     : json && !html ? json_body(reply)
                     : html          ? html_body(reply)
                                     : std::to_string(reply.status) + " " + std::string(reply.message) + "\n";
  head.status = reply.status;
  head.framing = {.chunked = false, .length = body.size()};
  http::Fields& fields = head.fields;
  fields.clear();
  if (!reply.location.empty()) fields.add({"Location", reply.location});
  fields.add({"Content-Type", json && !html ? "application/json"
                              : html        ? "text/html; charset=utf-8"
                                            : "text/plain; charset=utf-8"});
  if (reply.status >= 400) fields.add({"Cache-Control", "no-store"});
  fields.add({"X-Content-Type-Options", "nosniff"});
  if (reply.status == 503 || reply.status == 429) fields.add({"Retry-After", "2"});
  if (reply.status == 405) fields.add({"Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"});
  return body;
}

}  // namespace berth::edge
