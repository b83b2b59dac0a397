#include "engine/credentials.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/reference.h"
#include "io/process.h"
#include "io/scope.h"

namespace berth::engine {
namespace {

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kHubServer = "https://index.docker.io/v1/";
constexpr std::chrono::seconds kHelperDeadline{30};

bool is_program_part(std::string_view name) {
  return !name.empty() && name.find_first_of("/ \t\n") == std::string_view::npos;
}

Result<Credentials> parse_entry(const std::string& server, const Json& entry) {
  Credentials credentials{.server = server};
  credentials.identity_token = entry["identitytoken"].text();
  credentials.user = entry["username"].text();
  credentials.password = entry["password"].text();
  const std::string_view auth = entry["auth"].text();
  if (auth.empty()) return credentials;
  const auto decoded = decode_base64(auth);
  if (!decoded || decoded->find(':') == std::string::npos)
    return fail(Code::invalid, "~/.docker/config.json: auth of " + server +
                                   " is not base64 of user:password; run "
                                   "`docker login " +
                                   server + "` again");
  const Cut parts = cut(*decoded, ':');
  credentials.user = parts.before;
  credentials.password = parts.after;
  while (credentials.password.ends_with('\0')) credentials.password.pop_back();
  return credentials;
}

bool has_secret(const Credentials& credentials) {
  return !credentials.identity_token.empty() || !credentials.user.empty();
}

Json json_of(const Credentials& credentials) {
  Json json = Json::object();
  if (credentials.identity_token.empty()) {
    json.set("username", credentials.user);
    json.set("password", credentials.password);
  } else {
    json.set("identitytoken", credentials.identity_token);
  }
  json.set("serveraddress", credentials.server);
  return json;
}

io::Task<Result<std::optional<Credentials>>> ask_helper(std::string program, std::string server) {
  io::Command command{.argv = {program, "get"}};
  command.errors = io::Command::Pipe::pipe;
  auto output = co_await io::within(kHelperDeadline, io::run_command(std::move(command), server + "\n"));
  if (!output) co_return fail(std::move(output.error()).within("credential helper " + program));
  if (output->status == 0) co_return CO_TRY(parse_helper_answer(server, output->out));
  const std::string said(trim(output->out.empty() ? output->err : output->out));
  if (lower(said).find("credentials not found") != std::string::npos) co_return std::optional<Credentials>();
  co_return fail(Code::denied, "credential helper " + program + " fails for " + server + ": " + said.substr(0, 200));
}

}  // namespace

Result<DockerConfig> parse_docker_config(std::string_view text) {
  DockerConfig config;
  if (trim(text).empty()) return config;
  auto json = parse_json(text);
  if (!json) return fail(std::move(json.error()).within("~/.docker/config.json"));
  for (const auto& [server, entry] : (*json)["auths"].members()) {
    Credentials credentials = TRY(parse_entry(server, entry));
    if (has_secret(credentials)) config.stored.insert_or_assign(registry_key(server), std::move(credentials));
  }
  for (const auto& [server, helper] : (*json)["credHelpers"].members())
    config.helpers.insert_or_assign(registry_key(server), std::string(helper.text()));
  config.store = (*json)["credsStore"].text();
  return config;
}

std::string registry_key(std::string_view server) {
  std::string key = lower(server);
  for (const std::string_view scheme : {"https://", "http://"})
    if (key.starts_with(scheme)) key.erase(0, scheme.size());
  key = cut(key, '/').before;
  const bool hub = key == "index.docker.io" || key == "registry-1.docker.io" || key == kHub;
  return hub ? std::string(kHub) : key;
}

Result<std::string> parse_registry(std::string_view text) {
  // What is no host may be a password in the wrong place, and is not repeated.
  const auto bad = [] {
    return fail(
        Code::invalid,
        "this is no registry: write its host as images name it, such as registry.example.com:5000 or docker.io");
  };
  std::string_view rest = text;
  for (const std::string_view scheme : {"https://", "http://"})
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  const std::string_view path = cut(rest, '/').after;
  if (!path.empty() && path != "v1" && path != "v1/" && path != "v2" && path != "v2/") return bad();
  std::string key = registry_key(text);
  const auto image = parse_reference(key + "/image");
  if (key.size() > 255 || !image || image->host != key) return bad();
  return key;
}

std::string registry_server(std::string_view key) {
  return std::string(key == kHub ? kHubServer : key);
}

std::string helper_program(const DockerConfig& config, std::string_view registry) {
  const auto found = config.helpers.find(registry_key(registry));
  const std::string& name = found != config.helpers.end() ? found->second : config.store;
  return is_program_part(name) ? "docker-credential-" + name : std::string();
}

Result<Credentials> parse_helper_answer(std::string_view server, std::string_view text) {
  const auto json = parse_json(text);
  if (!json || !(*json)["Secret"].is_text())
    return fail(Code::invalid,
                "credential helper for " + std::string(server) + ": its answer is not the JSON of `get`");
  Credentials credentials{.server = std::string(server)};
  const std::string_view user = (*json)["Username"].text();
  if (user == "<token>") {
    credentials.identity_token = (*json)["Secret"].text();
  } else {
    credentials.user = user;
    credentials.password = (*json)["Secret"].text();
  }
  return credentials;
}

std::string registry_auth(const std::optional<Credentials>& credentials) {
  return credentials ? encode_base64(json_of(*credentials).dump(), Base64::url) : std::string();
}

std::string registry_config(const std::map<std::string, Credentials>& credentials) {
  Json json = Json::object();
  for (const auto& [key, entry] : credentials) json.set(entry.server.empty() ? key : entry.server, json_of(entry));
  return credentials.empty() ? std::string() : encode_base64(json.dump(), Base64::url);
}

io::Task<Result<std::optional<Credentials>>> find_credentials(DockerConfig config, std::string reference) {
  const std::string key = registry_key(CO_TRY(parse_reference(reference)).host);
  if (const std::string program = helper_program(config, key); !program.empty()) {
    auto found = CO_TRY(co_await ask_helper(program, registry_server(key)));
    if (found) co_return found;
  }
  const auto stored = config.stored.find(key);
  if (stored == config.stored.end()) co_return std::optional<Credentials>();
  co_return stored->second;
}

}  // namespace berth::engine
