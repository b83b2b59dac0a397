// The UI's files as the binary carries them (tools/ui makes them of web/): found by path, answered over HTTP.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/server.h"

namespace berth::api {

/// One file in the form that one client gets. Views live as long as the program.
struct Asset {
  std::string_view body{};
  std::string_view type{};      ///< Content-Type
  std::string_view encoding{};  ///< Content-Encoding: "br", "gzip" or ""
  std::string etag{};           ///< strong, quoted; another one for each encoding
  bool immutable = false;       ///< its name holds its hash: it may be kept forever
};

/// The file at `path`, else the UI's first page, whose own router knows the path: every state of the UI is a link.
/// Nothing below /assets/ and /api that is not there. Without a built UI, a plain page that says so.
std::optional<Asset> asset(std::string_view path, std::string_view accept_encoding);

/// Whether this binary carries the UI.
bool has_ui();

/// Answers GET and HEAD with asset(): If-None-Match, a strict Content-Security-Policy, nothing else loaded from
/// anywhere.
io::Task<Result<void>> serve_asset(http::ServerRequest& request, http::ResponseWriter& response);

}  // namespace berth::api
