#include "auth/answer.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "http/head.h"

namespace berth::auth {
namespace {

struct Known {
  std::string_view error;
  Code code;
  std::string_view means;
};
constexpr std::string_view kClient =
    "it does not accept the client id or the secret; set them anew by berth provider remove and add";
constexpr std::string_view kSpent = "it does not take the code: spent, too old or for another address; sign in again";
constexpr std::string_view kRedirect =
    "it knows another redirect address; register https://HOST/api/v1/auth/ID/callback there";
constexpr std::array<Known, 8> kErrors = {{
    {"invalid_client", Code::invalid, kClient},
    {"incorrect_client_credentials", Code::invalid, kClient},  // GitHub
    {"unauthorized_client", Code::invalid, kClient},
    {"invalid_grant", Code::timeout, kSpent},
    {"bad_verification_code", Code::timeout, kSpent},                                                  // GitHub
    {"redirect_uri_mismatch", Code::invalid, kRedirect},                                               // GitHub
    {"unverified_user_email", Code::denied, "the user has to verify the e-mail address there first"},  // GitHub
    {"temporarily_unavailable", Code::unavailable, "it is not available at the moment; try again"},
}};

std::unexpected<Error> refused_code(std::string_view error) {
  const auto known = std::ranges::find(kErrors, error, &Known::error);
  if (known != kErrors.end()) return fail(known->code, std::string(known->means));
  return fail(Code::denied, "it refused the code" + error_words(error));
}

Result<void> check_status(const Answer& answer) {
  const int status = answer.status;
  const std::string said = "it answered " + std::to_string(status);
  if (status == 200) return {};
  // Providers say 403 too where one asked too often.
  if (status == 429 || (status == 403 && answer.retry_after > 0)) {
    const std::string when = answer.retry_after > 0 ? "in " + std::to_string(answer.retry_after) + " s" : "later";
    return fail(Code::busy, said + ": it was asked too often; try again " + when);
  }
  if (status >= 300 && status < 400)
    return fail(Code::invalid, said + ": redirects are not followed; write the address that answers");
  if (status == 401 || status == 403)
    return fail(Code::invalid, said + ": it does not let the client in; look at its rights and scopes there");
  if (status == 404) return fail(Code::invalid, said + ": look at the address in the provider's settings");
  return fail(Code::unavailable, said + "; try again later");
}

}  // namespace

std::string error_words(std::string_view error) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return error.size() <= 40 && std::ranges::all_of(error, plain) ? ": " + std::string(error) : std::string();
}

std::string next_page(std::string_view link) {
  for (std::string_view rest = link; !rest.empty();) {
    const std::size_t begin = rest.find('<'), end = rest.find('>', begin);
    if (end == std::string_view::npos) return {};
    const std::string_view target = rest.substr(begin + 1, end - begin - 1);
    rest.remove_prefix(end + 1);
    const std::string_view parameters = rest.substr(0, rest.find('<'));
    rest.remove_prefix(parameters.size());
    for (const std::string_view parameter : split(parameters, ';')) {
      const auto [name, value, found] = cut(parameter, '=');
      const std::string_view word = trim(value.substr(0, value.find(',')));
      if (equal_fold(trim(name), "rel") && (word == "next" || word == "\"next\"")) return std::string(target);
    }
  }
  return {};
}

Result<Json> good_answer(Answer answer) {
  TRY(check_status(answer));
  if (answer.body.is_null()) return fail(Code::internal, "it did not answer with JSON; look at the address");
  return std::move(answer.body);
}

Result<Json> token_answer(Answer answer) {
  const Json& error = answer.body["error"];
  if (answer.status != 429 && error.is_text() && !error.text().empty()) return refused_code(error.text());
  const Json body = TRY(good_answer(std::move(answer)));
  const std::string_view token = body["access_token"].text(), type = body["token_type"].text("bearer");
  if (token.empty() || !http::is_field_value(token)) return fail(Code::denied, "it gave no token for the code");
  // RFC 6749 7.1: not to be used by who does not know its type, which is written in any case.
  if (!equal_fold(type, "bearer")) return fail(Code::denied, "its token is of another type than Bearer");
  return body;
}

}  // namespace berth::auth
