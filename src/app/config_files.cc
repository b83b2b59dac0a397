#include "app/config_files.h"

#include <algorithm>

#include "base/json_fold.h"
#include "base/text.h"
#include "edge/certificate.h"
#include "edge/keys.h"
#include "io/file.h"

namespace berth::app {
namespace {

using compose::Node;

constexpr std::size_t kMostFile = 4u << 20;

bool is_yaml(std::string_view name) {
  return !name.starts_with('.') && (name.ends_with(".yml") || name.ends_with(".yaml"));
}

Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    const auto names = io::list_folder(path);
    if (!names) {
      out.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const std::string& name : *names) {
      if (is_yaml(name)) found.push_back(path + "/" + name);
    }
    std::ranges::sort(found);
    std::ranges::move(found, std::back_inserter(out));
  }
  return out;
}

/// The place of `path` in `root`, as deep as it can be followed.
compose::Mark place_of(const Node& root, const std::vector<std::string>& path) {
  const Node* at = &root;
  compose::Mark mark = root.mark;
  for (const std::string& key : path) {
    const auto next = std::ranges::find_if(at->items, [&](const Node& item) {
      const bool numbered = at->is_list() && key == std::to_string(&item - at->items.data());
      return numbered || (at->is_map() && lower(item.key) == key);
    });
    if (next == at->items.end()) break;
    at = &*next;
    mark = at->key_mark.line != 0 ? at->key_mark : at->mark;
  }
  return mark;
}

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

/// The documents of all files, as places and as values.
struct Documents {
  compose::Sources sources;
  std::vector<Node> roots;
  std::vector<Json> trees;
};

Result<void> read_documents(const std::string& path, compose::Budget& budget, Documents& out) {
  std::string text = TRY(io::read_file(path));
  if (text.size() > kMostFile) return fail(Code::invalid, path + " is larger than 4 MiB");
  const std::uint16_t file = out.sources.add(path, std::move(text));
  for (compose::Document& document : TRY(compose::parse_yaml(out.sources, file, budget))) {
    const Node& root = document.root;
    if (root.is_null()) continue;
    if (!root.is_map()) {
      return fail(out.sources.error(root.mark, "is " + std::string(root.kind_name()) + ", not a map"));
    }
    Json tree = compose::to_json(root);
    if (auto done = take_in_users(tree); !done) return fail(std::move(done.error()).within(path));
    out.trees.push_back(std::move(tree));
    out.roots.push_back(std::move(document.root));
  }
  return {};
}

std::string message_of(const edge::FileNote& note, const Documents& documents) {
  const compose::Mark mark = place_of(documents.roots[note.file], note.path);
  const Error error = documents.sources.error(mark, join(note.path, ".") + ": " + note.message);
  return (note.error ? "error: " : "warning: ") + error.text();
}

}  // namespace

Result<LoadedFiles> load_config_files(const std::vector<std::string>& paths) {
  compose::Budget budget;
  Documents documents;
  for (const std::string& path : TRY(files_of(paths))) TRY(read_documents(path, budget, documents));
  LoadedFiles out{.config = edge::read_files(documents.trees)};
  for (const auto& note : out.config.notes) out.messages.push_back(message_of(note, documents));
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
