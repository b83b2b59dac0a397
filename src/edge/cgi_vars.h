// What a CGI application is told of a request: the variables that nginx's uwsgi_params and fastcgi_params send. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "edge/service.h"
#include "http/head.h"

namespace berth::edge {

using CgiVars = std::vector<std::pair<std::string, std::string>>;

struct CgiRequest {
  const http::RequestHead& head;  ///< as it would go to an HTTP/1.1 upstream: cleaned, path rewritten
  const Cgi& options;
  std::string_view client;  ///< address
  std::string_view host;    ///< canonical
  bool https = false;
  std::optional<std::uint64_t> length{};  ///< of the body
};

/// Fields become HTTP_* variables, those of one name joined; "Proxy" never does (httpoxy), nor a name with '_', which
/// would be the same variable as one with '-'. Code::invalid when the path has control characters.
Result<CgiVars> uwsgi_vars(const CgiRequest& request);
/// With SCRIPT_NAME, SCRIPT_FILENAME and PATH_INFO by the path's .php segment, or by the options where it has none.
Result<CgiVars> fastcgi_vars(const CgiRequest& request);

}  // namespace berth::edge
