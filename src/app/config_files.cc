#include "app/config_files.h"

#include <algorithm>

#include "app/resolver_options.h"
#include "app/transport_files.h"
#include "app/yaml_files.h"
#include "base/json_fold.h"
#include "base/text.h"
#include "edge/certificate.h"
#include "edge/keys.h"
#include "io/file.h"

namespace berth::app {
namespace {

/// Puts the lines of each usersFile beside the users.
Result<void> take_in_users(Json& tree) {
  Json* http = find_folded(tree, "http");
  Json* middlewares = http ? find_folded(*http, "middlewares") : nullptr;
  if (!middlewares || !middlewares->is_object()) return {};
  for (auto& [name, middleware] : middlewares->members_mut()) {
    Json* auth = find_folded(middleware, "basicAuth");
    const Json* file = auth ? find_folded(*auth, "usersFile") : nullptr;
    if (!file) continue;
    const std::string text = TRY(io::read_file(std::string(file->text())));
    Json* listed = find_folded(*auth, "users");
    Json users = listed && listed->is_array() ? *listed : Json::array();
    for (const std::string_view line : split(text, '\n')) {
      if (!trim(line).empty() && !trim(line).starts_with('#')) users.push(trim(line));
    }
    std::erase_if(auth->members_mut(), [](const auto& each) {
      return equal_fold(each.first, "usersFile") || equal_fold(each.first, "users");
    });
    auth->set("users", std::move(users));
  }
  return {};
}

Result<edge::Certificate> read_pair(const edge::FileConfig::KeyPair& pair) {
  std::string chain = TRY(io::read_file(pair.certificate)), key = TRY(io::read_file(pair.key));
  return edge::load_certificate(std::move(chain), std::move(key));
}

std::string message_of(const edge::FileNote& note, const YamlFiles& files) {
  const Error error = error_at(files, note.file, note.path, join(note.path, ".") + ": " + note.message);
  return (note.error ? "error: " : "warning: ") + error.text();
}

/// A file with a wrong one defines none: a router that names one of them is not served.
void read_all_tls_options(const YamlFiles& files, LoadedFiles& out) {
  for (std::size_t i = 0; i < files.trees.size(); ++i) {
    auto options = read_tls_options(files.trees[i]);
    if (!options) {
      out.messages.push_back("error: " + placed(files, i, std::move(options.error())).text());
      continue;
    }
    for (edge::TlsOptions& each : *options) {
      if (std::ranges::count(out.tls_options, each.name, &edge::TlsOptions::name) > 0)
        out.messages.push_back(
            "error: " + error_at(files, i, {"tls", "options", each.name}, "is defined in another file too").text());
      else
        out.tls_options.push_back(std::move(each));
    }
  }
}

}  // namespace

Result<LoadedFiles> load_config_files(const std::vector<std::string>& paths) {
  YamlFiles files = TRY(read_yaml_files(paths));
  for (std::size_t i = 0; i < files.trees.size(); ++i) {
    if (auto done = take_in_users(files.trees[i]); !done) return fail(std::move(done.error()).within(files.names[i]));
  }
  LoadedFiles out;
  read_all_tls_options(files, out);
  std::vector<std::string> names;
  for (const edge::TlsOptions& each : out.tls_options) names.push_back(each.name);
  out.config = edge::read_files(files.trees, names);
  Transports transports{std::move(out.config.transports), std::move(out.config.tcp.transports)};
  for (const std::string& message : read_pem_files(transports)) out.messages.push_back("error: " + message);
  out.config.transports = std::move(transports.http);
  out.config.tcp.transports = std::move(transports.tcp);
  for (const auto& note : out.config.notes) out.messages.push_back(message_of(note, files));
  for (const auto& pair : out.config.certificates) {
    auto certificate = read_pair(pair);
    if (certificate)
      out.certificates.push_back(std::move(*certificate));
    else
      out.messages.push_back("error: tls.certificates: " + pair.certificate + ": " + certificate.error().message);
  }
  return out;
}

}  // namespace berth::app
