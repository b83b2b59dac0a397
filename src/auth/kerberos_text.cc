#include "auth/kerberos_text.h"

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr std::string_view kNtlm("NTLMSSP\0", 8);
constexpr std::size_t kMostToken = 64 << 10, kMostName = 256;

bool is_plain(std::string_view text) {
  const auto plain = [](char c) { return c > 0x20 && c < 0x7F && c != '\\' && c != '/' && c != '@'; };
  return !text.empty() && text.size() <= kMostName && std::ranges::all_of(text, plain);
}

}  // namespace

Result<std::string> negotiate_token(const http::Fields& fields) {
  std::optional<std::string_view> given;
  for (const auto& field : fields) {
    if (!http::same_name(field.name, "authorization")) continue;
    if (given) return fail(Code::denied, "kerberos: there are several Authorization fields");
    given = field.value;
  }
  const auto [scheme, text, divided] = cut(given.value_or(""), ' ');
  if (!divided || !equal_fold(scheme, "negotiate")) return std::string();
  auto token = text.size() > kMostToken ? Result<std::string>(std::string()) : decode_base64(trim(text));
  if (!token || token->empty()) return fail(Code::denied, "kerberos: the token is no base64, or too long");
  if (token->starts_with(kNtlm)) return fail(Code::denied, "kerberos: the client has no ticket and tried NTLM");
  return std::move(*token);
}

std::string_view realm_of(std::string_view principal) {
  const auto at = principal.rfind('@');
  return at == std::string_view::npos ? std::string_view() : principal.substr(at + 1);
}

Result<std::string> user_of_principal(std::string_view principal, std::string_view realm) {
  const auto at = principal.rfind('@');
  if (at == std::string_view::npos || realm.empty() || principal.substr(at + 1) != realm)
    return fail(Code::denied, "kerberos: the ticket is of another realm");
  const std::string_view user = principal.substr(0, at);
  if (!is_plain(user)) return fail(Code::denied, "kerberos: the ticket is no user's");
  return std::string(user);
}

Result<void> check_service(std::string_view principal) {
  const auto [service, rest, first] = cut(principal, '/');
  const auto [host, realm, second] = cut(rest, '@');
  if (first && second && service == "HTTP" && is_plain(host) && is_plain(realm)) return {};
  return fail(Code::invalid, "provider: principal is HTTP/host@REALM, as it stands in the keytab");
}

}  // namespace berth::auth
