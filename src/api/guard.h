// Which requests a page of another site may not have made (CSRF, cross-site WebSocket hijacking). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/head.h"

namespace berth::api {

/// Code::denied for a request that another site's page may have sent with our user's cookie: every Origin must be
/// "https://" and the request's own authority; what changes something (not GET or HEAD, `upgrades`, or a WebSocket)
/// needs it, or Sec-Fetch-Site: same-origin. A page cannot send `Authorization: Bearer`, so such requests need nothing.
Result<void> check_origin(const http::RequestHead& head, bool upgrades);
/// Whether the request carries `Authorization: Bearer ...`.
bool has_bearer(const http::RequestHead& head);

}  // namespace berth::api
