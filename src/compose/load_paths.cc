#include <fmt/format.h>

#include "compose/load_rules.h"
#include "compose/load_stages.h"
#include "compose/short.h"

namespace berth::compose {
namespace {

// How a relative path at a place becomes one below the prefix.
enum class Rule : std::uint8_t { path, context, host_path, linked, mount, driver_options };
using Rules = PathRules<Rule>;

const Rules& rules() {
  static const Rules kRules = {{"services.*.build.context", Rule::context},
                               {"services.*.build.additional_contexts.*", Rule::context},
                               {"services.*.build.ssh.*", Rule::host_path},
                               {"services.*.env_file.*.path", Rule::path},
                               {"services.*.label_file.*", Rule::path},
                               {"services.*.extends.file", Rule::path},
                               {"services.*.develop.watch.*.path", Rule::linked},
                               {"services.*.volumes.*", Rule::mount},
                               {"configs.*.file", Rule::host_path},
                               {"secrets.*.file", Rule::host_path},
                               {"volumes.*", Rule::driver_options}};
  return kRules;
}

// What the image builder fetches itself.
bool is_remote(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return true;
  for (const std::string_view start : {"service:", "github.com/", "git@"})
    if (text.starts_with(start)) return true;
  return false;
}

class Resolver {
 public:
  Resolver(Context& context, const std::string& prefix) : context_(context), prefix_(prefix) {}

  Result<void> walk(Node& node, Rules::At at) {
    if (at.dead()) return {};
    if (const Rule* rule = at.rule()) return apply(node, *rule);
    for (Node& item : node.items) TRY(walk(item, at.below(item.key)));
    return {};
  }

 private:
  Result<void> apply(Node& node, Rule rule) {
    switch (rule) {
      case Rule::context:
        if (node.is_text() && !is_remote(node.text)) resolve(node);
        return {};
      case Rule::mount:
        return mount(node);
      case Rule::driver_options:
        return driver_options(node), Result<void>();
      case Rule::host_path:
        if (node.is_text()) resolve_host_path(node);
        return {};
      default:
        if (node.is_text()) resolve(node);
        if (rule == Rule::linked && node.text.starts_with('/')) node.text = context_.files.real(node.text);
        return {};
    }
  }

  void expand_home(std::string& path) const {
    if (!path.starts_with('~')) return;
    const auto home = context_.options.environment.find("HOME");
    if (home != context_.options.environment.end() && !home->second.empty())
      path = clean_path(home->second + "/" + path.substr(1));
  }

  void resolve(Node& node) const {
    expand_home(node.text);
    if (!node.text.empty() && !node.text.starts_with('/')) node.text = join_path(prefix_, node.text);
  }

  // The engine may run on another system than we do, so a Windows path counts as absolute too.
  void resolve_host_path(Node& node) const {
    expand_home(node.text);
    if (!node.text.starts_with('/') && !is_windows_absolute(node.text)) node.text = join_path(prefix_, node.text);
  }

  Result<void> mount(Node& node) const {
    if (node.text_of("type") != "bind") return {};
    Node* source = node.find("source");
    if (source == nullptr || !source->is_text())
      return context_.fail_at(node.mark, "a volume of type bind has no source");
    resolve_host_path(*source);
    return {};
  }

  // The local driver with `o: bind` mounts a path of the host.
  void driver_options(Node& node) const {
    if (node.text_of("driver") != "local") return;
    Node* options = node.find("driver_opts");
    if (options == nullptr || !options->is_map() || options->text_of("o") != "bind") return;
    Node* device = options->find("device");
    if (device != nullptr && device->is_text()) resolve_host_path(*device);
  }

  Context& context_;
  const std::string& prefix_;
};

}  // namespace

Result<void> resolve_paths(Context& context, const std::string& prefix, Node& model) {
  return Resolver(context, prefix).walk(model, rules().root());
}

}  // namespace berth::compose
