#include <fmt/format.h>

#include <unordered_map>

#include "base/text.h"
#include "compose/load_rules.h"
#include "compose/merge.h"
#include "compose/short.h"

namespace berth::compose {
namespace {

// What makes two entries of a list the same.
enum class Identity : std::uint8_t { key, mount, device, config, secret, env_file, expose, port };
using Identities = PathRules<Identity>;

const Identities& identities() {
  static const Identities kIdentities = {{"networks.*.labels", Identity::key},
                                         {"networks.*.ipam.options", Identity::key},
                                         {"services.*.annotations", Identity::key},
                                         {"services.*.build.args", Identity::key},
                                         {"services.*.build.additional_contexts", Identity::key},
                                         {"services.*.build.platform", Identity::key},
                                         {"services.*.build.tags", Identity::key},
                                         {"services.*.build.labels", Identity::key},
                                         {"services.*.cap_add", Identity::key},
                                         {"services.*.cap_drop", Identity::key},
                                         {"services.*.devices", Identity::device},
                                         {"services.*.configs", Identity::config},
                                         {"services.*.deploy.labels", Identity::key},
                                         {"services.*.dns", Identity::key},
                                         {"services.*.dns_opt", Identity::key},
                                         {"services.*.dns_search", Identity::key},
                                         {"services.*.environment", Identity::key},
                                         {"services.*.env_file", Identity::env_file},
                                         {"services.*.expose", Identity::expose},
                                         {"services.*.labels", Identity::key},
                                         {"services.*.links", Identity::key},
                                         {"services.*.networks.*.aliases", Identity::key},
                                         {"services.*.networks.*.link_local_ips", Identity::key},
                                         {"services.*.ports", Identity::port},
                                         {"services.*.profiles", Identity::key},
                                         {"services.*.secrets", Identity::secret},
                                         {"services.*.sysctls", Identity::key},
                                         {"services.*.tmpfs", Identity::key},
                                         {"services.*.volumes", Identity::mount}};
  return kIdentities;
}

class Uniqueness {
 public:
  explicit Uniqueness(Context& context) : context_(context) {}

  Result<void> walk(Node& node, Identities::At at, const std::string& path) {
    if (at.dead()) return {};
    if (node.is_list() && at.rule() != nullptr) return unify(node, *at.rule(), path);
    if (!node.is_map()) return {};
    for (Node& item : node.items) {
      const Identities::At next = at.below(item.key);
      if (!next.dead()) TRY(walk(item, next, path.empty() ? item.key : path + "." + item.key));
    }
    return {};
  }

 private:
  Result<void> unify(Node& list, Identity identity, const std::string& path) {
    std::unordered_map<std::string, std::size_t> seen;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const auto [first, fresh] = seen.emplace(TRY(name_of(list.items[i], identity, path)), kept);
      if (const std::size_t to = first->second; to != i) list.items[to] = std::move(list.items[i]);
      if (fresh) ++kept;
    }
    list.items.resize(kept);
    return {};
  }

  std::unexpected<Error> refuse(const Node& entry, const std::string& path, std::string_view why) const {
    return context_.fail_at(entry.mark, fmt::format("{}: {}", path, why));
  }

  Result<std::string> name_of(const Node& entry, Identity identity, const std::string& path) const {
    switch (identity) {
      case Identity::key:
        if (!entry.is_text())
          return refuse(entry, path, fmt::format("an entry must be a text, not {}", entry.kind_name()));
        return std::string(cut(entry.text, '=').before);
      case Identity::mount:
        return mount_name(entry, path);
      case Identity::device:
        return device_name(entry, path);
      case Identity::config:
        return file_name(entry, "", path);
      case Identity::secret:
        return file_name(entry, "/run/secrets", path);
      case Identity::env_file:
        if (entry.is_map() && entry.text_of("path").empty()) return refuse(entry, path, "path is missing");
        return std::string(entry.is_map() ? entry.text_of("path") : entry.text);
      case Identity::expose:
        if (!entry.is_text() && entry.kind != Kind::integer)
          return refuse(entry, path, "a port must be a number or a text");
        return entry.scalar_text();
      case Identity::port:
        return port_name(entry, path);
    }
    return "";
  }

  Result<std::string> mount_name(const Node& entry, const std::string& path) const {
    if (entry.is_map()) {
      const Node* target = entry.find("target");
      if (target == nullptr || !target->is_text()) return refuse(entry, path, "a volume is missing a mount target");
      return target->text;
    }
    if (!entry.is_text()) return "";
    auto mount = parse_volume(entry.text);
    if (!mount) return refuse(entry, path, mount.error().message);
    return std::move(mount->target);
  }

  Result<std::string> device_name(const Node& entry, const std::string& path) const {
    if (!entry.is_map()) {
      const auto parts = split(entry.text, ':');
      return std::string(parts.size() == 1 ? parts[0] : parts[1]);
    }
    const Node* target = entry.find("target");
    if (target == nullptr || !target->is_text()) return refuse(entry, path, "a device is missing a mount target");
    return target->text;
  }

  Result<std::string> file_name(const Node& entry, std::string_view folder, const std::string& path) const {
    if (entry.is_text()) return fmt::format("{}/{}", folder, entry.text);
    if (!entry.is_map())
      return refuse(entry, path, fmt::format("an entry must be a text or a mapping, not {}", entry.kind_name()));
    const Node* target = entry.find("target");
    if (target == nullptr) return fmt::format("{}/{}", folder, entry.text_of("source"));
    if (!target->is_text()) return refuse(*target, path, "target must be a text");
    return target->text;
  }

  // A short form compares as it is written; the long forms that follow from it are compared again later.
  Result<std::string> port_name(const Node& entry, const std::string& path) const {
    if (!entry.is_map()) return entry.scalar_text();
    const Node* target = entry.find("target");
    if (target == nullptr) return refuse(entry, path, "a port is missing a target port");
    const auto member = [&](std::string_view key, std::string_view fallback) {
      const Node* node = entry.find(key);
      return node == nullptr ? std::string(fallback) : node->scalar_text();
    };
    return fmt::format("{}:{}:{}/{}", member("host_ip", "0.0.0.0"), member("published", "-"), target->scalar_text(),
                       member("protocol", "tcp"));
  }

  Context& context_;
};

}  // namespace

Result<void> keep_last(Context& context, Node& root) {
  return Uniqueness(context).walk(root, identities().root(), "");
}

}  // namespace berth::compose
