// Just enough HTTP/1.1 for a demonstration: one request out of a buffer, one response head into a string.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct Request {
  std::string method, path, query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool keep_alive = true;

  /// The first header of that name, in any case of letters; empty when there is none.
  std::string_view header(std::string_view name) const;
  /// The whole number of `name=NUMBER` in the query, limited to 1..most; `otherwise` when there is none.
  int number(std::string_view name, int otherwise, int most) const;
};

enum class Parsed {
  more,  ///< not yet whole: read on
  bad,   ///< not HTTP, or larger than 64 KiB of head or 1 MiB of body: answer 400 and close
  done,  ///< `request` is filled and its bytes are gone from the buffer
};

Parsed take_request(std::string& buffer, Request& request);

bool same_text(std::string_view a, std::string_view b);  ///< ASCII letters in any case
std::string escape_html(std::string_view text);
/// Status line and headers; `extra` are whole lines with their CRLF.
std::string response_head(std::string_view status, std::string_view type, std::string_view extra);
/// One chunk of a chunked body.
std::string chunk(std::string_view text);
