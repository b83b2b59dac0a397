// The edge's own answers: small, clear, and never with anything of the inside in them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace berth::edge {

struct OwnReply {
  int status = 500;
  std::string_view message{};   ///< one sentence for the client; with 2xx the whole body
  std::string_view accept{};    ///< the request's Accept field: JSON, HTML or plain text follow from it
  std::string_view location{};  ///< for 3xx
  bool head_only = false;       ///< the request was HEAD
  bool keep_alive = false;
};
/// Appends a whole reply with its body. JSON is {"error", "code", "message"}, as everywhere.
void append_own_reply(std::string& out, const OwnReply& reply);

}  // namespace berth::edge
