// The edge's own answers: small, clear, and never with anything of the inside in them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "http/head.h"

namespace berth::edge {

struct OwnReply {
  int status = 500;
  std::string_view message{};   ///< one sentence for the client; with 2xx the whole body
  std::string_view accept{};    ///< the request's Accept field: JSON, HTML or plain text follow from it
  std::string_view location{};  ///< for 3xx
};
/// Makes `head` with its length and returns the body. JSON is {"error", "code", "message"}, as everywhere. The views in
/// `head` are those in `reply` and constants.
std::string make_own_reply(const OwnReply& reply, http::ResponseHead& head);

}  // namespace berth::edge
