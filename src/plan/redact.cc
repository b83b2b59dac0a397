#include "plan/redact.h"

#include <array>
#include <cctype>
#include <vector>

#include "base/hash.h"

namespace berth::plan {
namespace {

// Words that make a name a secret's. "key" and "auth" are whole words, so that KEYBOARD and AUTHOR are none.
constexpr std::array<std::string_view, 23> kSecretWords = {
    "password",    "passwd", "pwd",  "pass",    "passphrase", "secret",     "secrets", "token",
    "tokens",      "key",    "keys", "apikey",  "auth",       "credential", "cred",    "creds",
    "credentials", "cert",   "dsn",  "private", "salt",       "cookie",     "htpasswd"};
// Inside a run-together word these still tell: "dbpassword", "clientsecret".
constexpr std::array<std::string_view, 7> kSecretParts = {"password", "passwd",     "secret",    "token",
                                                          "apikey",   "credential", "privatekey"};

// "DB_PASSWORD", "apiKey", "tls.key" as lower-case words.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  char last = 0;
  for (const char c : name) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    const bool hump =
        std::isupper(static_cast<unsigned char>(c)) != 0 && std::islower(static_cast<unsigned char>(last)) != 0;
    if ((!letter || hump) && !words.back().empty()) words.emplace_back();
    if (letter) words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    last = c;
  }
  return words;
}

std::string_view without_digits(std::string_view word) {
  while (!word.empty() && word.back() >= '0' && word.back() <= '9') word.remove_suffix(1);
  return word;
}

bool is_secret_word(std::string_view word) {
  word = without_digits(word);
  for (const std::string_view secret : kSecretWords)
    if (word == secret) return true;
  for (const std::string_view part : kSecretParts)
    if (word.find(part) != std::string_view::npos) return true;
  return false;
}

std::string text_of(const Json& value) {
  return value.is_text() ? std::string(value.text()) : value.canonical();
}

std::string bytes_of(const Json& value) {
  return std::to_string(text_of(value).size()) + " bytes";
}

Json hashed_pairs(const Json& pairs, std::string_view key) {
  Json out = Json::array();
  for (const Json& pair : pairs.items()) {
    const std::string_view text = pair.text();
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || !is_secret(text.substr(0, equals), Json(text.substr(equals + 1)))) {
      out.push(pair);
      continue;
    }
    out.push(std::string(text.substr(0, equals + 1)) + hashed_value(Json(text.substr(equals + 1)), key).canonical());
  }
  return out;
}

Json hashed_map(const Json& map, std::string_view key) {
  Json out = Json::object();
  for (const auto& [name, value] : map.members())
    out.set(name, is_secret(name, value) ? hashed_value(value, key) : value);
  return out;
}

// scheme://user:password@host
bool has_credentials(std::string_view text) {
  for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
    const std::string_view authority = text.substr(at + 3, text.find_first_of("/?# \t\n", at + 3) - (at + 3));
    const std::size_t host = authority.rfind('@');
    const std::size_t colon = authority.find(':');
    if (host != std::string_view::npos && colon < host && colon + 1 < host) return true;
  }
  return false;
}

}  // namespace

bool is_secret_name(std::string_view name) {
  for (const std::string& word : words_of(name))
    if (is_secret_word(word)) return true;
  return false;
}

bool is_secret(std::string_view name, const Json& value) {
  return is_secret_name(name) || (value.is_text() && has_credentials(value.text()));
}

std::string redacted_change(const Json& before, const Json& after) {
  if (before.is_null()) return "added (" + bytes_of(after) + ")";
  if (after.is_null()) return "removed (" + bytes_of(before) + ")";
  return "changed (" + std::to_string(text_of(before).size()) + " -> " + bytes_of(after) + ")";
}

Json hashed_value(const Json& value, std::string_view key) {
  if (value.is_null()) return value;
  const std::string text = text_of(value);
  return Json::object({{"hmac", hmac_sha256_hex(key, text).substr(0, 16)}, {"bytes", text.size()}});
}

Json redacted_body(const Json& body, std::string_view key) {
  Json out = body;
  for (const std::string_view list : {"Env"})
    if (out.contains(list)) out.set(list, hashed_pairs(body[list], key));
  for (const std::string_view map : {"Labels", "args", "labels", "DriverOpts", "Options"})
    if (body[map].is_object()) out.set(map, hashed_map(body[map], key));
  if (body["args"].is_array()) out.set("args", hashed_pairs(body["args"], key));
  const Json& log_options = body["HostConfig"]["LogConfig"]["Config"];
  if (log_options.is_object()) out.slot("HostConfig").slot("LogConfig").set("Config", hashed_map(log_options, key));
  return out;
}

}  // namespace berth::plan
