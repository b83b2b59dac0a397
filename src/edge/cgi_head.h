// The head of a CGI application's answer (RFC 3875 6): fields, with the status among them or in a line before. Pure.
#pragma once

#include <string>
#include <string_view>

#include "http/head.h"

namespace berth::edge {

/// Parses the head at the front of `bytes`: CGI's own form, or an HTTP/1 head as uWSGI sends it. Lines may end with LF
/// alone. The strictness is http::parse_response's, and a Transfer-Encoding is refused. `text` is what the views in
/// `head` point to. Nothing is done before an empty line is there.
http::Parsed parse_cgi_head(std::string_view bytes, std::string& text, http::ResponseHead& head);

inline constexpr std::size_t kMostCgiHead = 64u << 10;

}  // namespace berth::edge
