#include "auth/setup.h"

#include "auth/token.h"

namespace berth::auth {
namespace {

SetupVerdict closed(std::string_view why) {
  return {.allowed =
              fail(Code::denied, "setup: " + std::string(why) + "; run berth setup-token as root for a new link")};
}

}  // namespace

SetupVerdict judge_setup(const std::optional<SetupToken>& kept, std::string_view token, std::int64_t now) {
  if (!kept) return closed("no link is open");
  if (kept->wrong >= kSetupTries) return closed("the link was closed after too many wrong tries");
  if (now >= kept->expires_at) return closed("the link is older than an hour");
  if (!is_secret_text(token) || !same_secret(secret_hash(token), kept->hash)) {
    return {
        .allowed = fail(Code::denied, "setup: this is not the link's token; open the link exactly as it was printed"),
        .counts = true};
  }
  return {};
}

}  // namespace berth::auth
