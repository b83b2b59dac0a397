#include "engine/registry.h"

#include "base/text.h"
#include "engine/progress.h"
#include "engine/reference.h"

namespace berth::engine {
namespace {

constexpr std::size_t kMostWords = 300;  // of what a registry says: it may be any server

// Engines answer 500 to what their registry says; its words tell more.
Code code_of(const Error& error) {
  if (error.code != Code::internal) return error.code;
  const auto told = check_progress(Json::object({{"error", error.message}}));
  return told ? error.code : told.error().code;
}

Error explain(const Error& error, const Credentials& credentials) {
  const Code code = code_of(error);
  // A server that gives back what it was sent does not get the password into a log.
  const bool tells = !credentials.password.empty() && error.message.contains(credentials.password);
  const std::string words = tells ? "its answer repeats the password" : error.message.substr(0, kMostWords);
  if (code == Code::denied)
    return {code, "registry " + credentials.server + " refuses " + credentials.user +
                      "; check the user name and the password or token: " + words};
  return {code, "the engine cannot log in to registry " + credentials.server + ": " + words};
}

}  // namespace

std::string login_advice(const Error& error, const std::string& reference, std::string_view program) {
  const auto parsed = parse_reference(reference);
  const std::string words = lower(error.message);
  // Engines answer 500 to some refusals.
  const bool refused = error.code == Code::denied || words.contains("unauthorized") || words.contains("basic auth");
  if (!refused || !parsed) return {};
  return "; log in with `" + std::string(program) + " " + parsed->host + "`, or check the name";
}

io::Task<Result<std::string>> log_in(Client& client, Credentials credentials) {
  const Json body = Json::object(
      {{"username", credentials.user}, {"password", credentials.password}, {"serveraddress", credentials.server}});
  const auto reply =
      co_await client.call({.method = "POST", .path = "/auth", .body = body, .deadline = std::chrono::seconds(30)});
  if (!reply) co_return fail(explain(reply.error(), credentials));
  co_return std::string((*reply)["IdentityToken"].text());
}

}  // namespace berth::engine
