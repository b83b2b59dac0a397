#include "app/broker_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "app/yaml_files.h"
#include "base/text.h"
#include "broker/bind.h"
#include "io/file.h"
#include "io/ownership.h"

namespace berth::app {
namespace {

Result<void> check_owner(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return fail(Code::not_found, path + " does not exist");
  const bool own = facts.st_uid == 0 || facts.st_uid == ::geteuid();
  if (own && (facts.st_mode & 022) == 0) return {};
  return fail(Code::denied, path + " has to belong to root and be writable by nobody else: chown root " + path +
                                "; chmod go-w " + path);
}

Result<void> check_file(const std::string& path) {
  TRY(check_owner(path));
  const auto slash = path.rfind('/');
  return check_owner(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
}

Result<broker::Policy> read_policy(const std::string& path, std::string name) {
  TRY(check_file(path));
  const YamlFiles files = TRY(read_yaml_files({path}));
  if (files.trees.size() != 1) return fail(Code::invalid, path + " has to hold one document");
  auto policy = broker::parse_policy(files.trees[0], std::move(name));
  if (!policy) return fail(std::move(policy.error()).within(path));
  return policy;
}

void hide(std::vector<std::string>& out, const std::string& path) {
  if (auto plain = broker::canonical_path(path)) out.push_back(*std::move(plain));
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(path, error);
  if (!error && real.string() != path) out.push_back(real.string());
}

// Where else `path` lies; nothing when it lies where it is written.
std::optional<std::string> other_spelling(const std::string& path) {
  auto settled = io::settled_path(path);
  if (!settled || *settled == path) return std::nullopt;
  return settled;
}

void add_root(std::vector<std::string>& out, const std::string& path) {
  auto plain = broker::canonical_path(path);
  if (!plain) return;
  if (auto other = other_spelling(*plain)) out.push_back(*std::move(other));
  out.push_back(*std::move(plain));
}

void add_grant(std::vector<broker::Exception>& out, const broker::Exception& grant) {
  out.push_back(grant);
  const Cut parts = cut(grant.field, '=');
  if (parts.before != "binds") return;
  if (const auto other = other_spelling(std::string(parts.after))) out.push_back({grant.project, "binds=" + *other});
}

}  // namespace

Result<broker::Policy> complete_policy(broker::Policy policy, const PolicySource& source) {
  for (const auto& grant : TRY(load_grants(source.folder))) add_grant(policy.exceptions, grant);
  for (const auto& root : std::vector(std::exchange(policy.roots, {}))) add_root(policy.roots, root);
  for (const auto& root : source.roots) add_root(policy.roots, root);
  if (!source.engine_socket.empty()) hide(policy.hidden, source.engine_socket);
  hide(policy.hidden, source.folder);
  return policy;
}

Result<broker::Policy> policy_from(const PolicySource& source) {
  return complete_policy(TRY(load_policy(source.policy, source.folder)), source);
}

std::string grants_file(const std::string& folder) {
  return folder + "/grants.json";
}

Result<broker::Policy> load_policy(const std::string& name, const std::string& folder) {
  if (name.contains('/')) {
    const std::string file = name.substr(name.rfind('/') + 1);
    return read_policy(name, file.substr(0, file.rfind('.')));
  }
  if (!broker::is_name(name)) return fail(Code::invalid, "\"" + name + "\" is no name of a policy");
  for (const char* ending : {".yaml", ".yml", ".json"})
    if (const std::string path = folder + "/" + name + ending; io::exists(path)) return read_policy(path, name);
  return broker::named_policy(name);
}

Result<std::vector<broker::Exception>> load_grants(const std::string& folder) {
  const std::string path = grants_file(folder);
  if (!io::exists(path)) return std::vector<broker::Exception>{};
  TRY(check_file(path));
  auto grants = broker::parse_exceptions(TRY(io::read_file(path, 1u << 20)));
  if (!grants) return fail(std::move(grants.error()).within(path));
  return grants;
}

Result<void> save_grants(const std::string& folder, const std::vector<broker::Exception>& grants) {
  TRY(io::make_folder(folder, 0755));
  return io::write_file(grants_file(folder), broker::exceptions_text(grants), 0644);
}

}  // namespace berth::app
