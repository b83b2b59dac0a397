// One request to a provider over HTTPS.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "auth/answer.h"
#include "base/json.h"
#include "io/scope.h"

namespace berth::auth {

struct WebRequest {
  std::string url{};
  std::string ca{};                                         ///< PEM of trusted roots; "": the system's
  std::string bearer{};                                     ///< "": no Authorization
  std::string basic{};                                      ///< "name:secret", "": none
  std::vector<std::pair<std::string, std::string>> form{};  ///< sent by POST; empty: a GET
};
/// What it answers. Redirects are not followed. Code::unavailable when it does not answer within 10 s, internal for a
/// malformed answer or one of more than 512 KiB. Errors name the address without its query.
io::Task<Result<Answer>> fetch(WebRequest request);
/// good_answer() of it, with its errors.
io::Task<Result<Json>> fetch_json(WebRequest request);
/// All pages of a list, as its Link fields lead on, in one array: at most ten, and none of another origin, since each
/// is asked for with the token. What is no list is given as it is.
io::Task<Result<Json>> fetch_pages(WebRequest request);
/// An error of the provider at `url`, so that it names the address without its query.
Error within_address(Error error, std::string_view url);

}  // namespace berth::auth
