#include "auth/cookie.h"

#include "base/text.h"

namespace berth::auth {

std::optional<std::string> read_cookie(const http::Fields& fields, std::string_view name) {
  std::optional<std::string> found;
  for (const auto& field : fields) {
    if (!http::same_name(field.name, "cookie")) continue;
    for (const auto part : split(field.value, ';')) {
      const auto pair = cut(trim(part), '=');
      // A name in other letters is another cookie, but none that we or a browser would make.
      if (!equal_fold(trim(pair.before), name)) continue;
      if (found || !pair.found || pair.before != name) return {};
      found = std::string(pair.after);
    }
  }
  return found;
}

std::string set_cookie(std::string_view name, std::string_view value, std::chrono::seconds life) {
  return std::string(name) + "=" + std::string(value) +
         "; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=" + std::to_string(life.count());
}

std::string clear_cookie(std::string_view name) {
  return set_cookie(name, "", std::chrono::seconds(0));
}

}  // namespace berth::auth
