#include <fmt/format.h>

#include "compose/dotenv.h"
#include "compose/load_stages.h"

namespace berth::compose {
namespace {

const std::string* value_of(const Environment& environment, const std::string& name) {
  const auto at = environment.find(name);
  return at == environment.end() ? nullptr : &at->second;
}

void take_contents(const Environment& environment, Node& model, std::string_view section) {
  Node* entries = model.find(section);
  if (entries == nullptr || !entries->is_map()) return;
  for (Node& entry : entries->items) {
    const Node* name = entry.is_map() ? entry.find("environment") : nullptr;
    if (name == nullptr || !name->is_text()) continue;
    const std::string* value = value_of(environment, name->text);
    if (value != nullptr) entry.set(kContentKey, Node::text_at(*value, name->mark));
  }
}

}  // namespace

void take_environment(const Environment& environment, Node& model) {
  if (Node* services = model.find("services"); services != nullptr && services->is_map()) {
    for (Node& service : services->items) {
      Node* variables = service.is_map() ? service.find("environment") : nullptr;
      if (variables == nullptr || !variables->is_list()) continue;
      for (Node& variable : variables->items)
        if (const std::string* value = value_of(environment, variable.text)) variable.text += "=" + *value;
    }
  }
  take_contents(environment, model, "secrets");
  take_contents(environment, model, "configs");
}

Result<Environment> read_env_files(Context& context, const std::vector<std::string>& paths,
                                   const Environment& environment) {
  Environment variables;
  const Lookup lookup = lookup_in(environment);
  for (const std::string& path : paths) {
    const auto kind = context.files.kind(path);
    if (kind == Files::Kind::absent)
      return fail(Code::not_found, fmt::format("couldn't find env file: {}", context.shown(path)));
    if (kind == Files::Kind::folder)
      return fail(Code::invalid, fmt::format("env file {} is a directory", context.shown(path)));
    const std::string text = TRY(context.read(path));
    TRY(parse_dotenv(without_byte_order_mark(text),
                     {.lookup = lookup, .unset = context.unset, .name = context.shown(path)}, variables));
  }
  return variables;
}

}  // namespace berth::compose
