#include <fmt/format.h>

#include "compose/canonical.h"
#include "compose/load_stages.h"
#include "compose/merge.h"
#include "compose/validate.h"

namespace berth::compose {
namespace {

Result<void> prepare(Context& context, const Scope& scope, const Document& document, Node& root) {
  if (!root.is_map()) return context.fail_at(document.root.mark, "the top level must be a mapping");
  if (!context.options.interpolate) return {};
  const Lookup lookup = lookup_in(scope.environment);
  return interpolate(root, {.sources = context.sources,
                            .budget = context.budget,
                            .lookup = lookup,
                            .unset = context.unset,
                            .warnings = context.warnings});
}

Result<void> combine(Context& context, Node& model, Node root, bool validated) {
  TRY(merge_models(context, model, std::move(root)));
  TRY(keep_last(context, model));
  if (validated) {
    TRY(validate(context, model));
    if (const Node* version = model.find("version")) {
      context.warnings.push_back(fmt::format(
          "{}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential "
          "confusion",
          context.sources.shown(version->mark.file)));
      model.erase("version");
    }
  }
  TRY(make_canonical(context, model, !context.options.interpolate));
  // A range of ports can name the same port as another entry; that shows only now.
  return keep_last(context, model);
}

Result<void> add_document(Context& context, const Scope& scope, const std::string& path, Document document,
                          Node& model) {
  Node root = std::move(document.root);
  TRY(prepare(context, scope, document, root));
  Scope inner{.folder = scope.folder,
              .prefix = scope.prefix,
              .environment = scope.environment,
              .resolve_paths = scope.resolve_paths,
              .chain = scope.chain};
  inner.chain.push_back(path);
  if (root.find("include") != nullptr) TRY(apply_includes(context, inner, root, document.resets));
  apply_resets(model, document.resets);
  TRY(apply_extends(context, inner, root, document.resets));
  return combine(context, model, std::move(root), true);
}

}  // namespace

Result<Node> load_model(Context& context, const Scope& scope, std::vector<SourceFile> files) {
  Node model = Node::map_at({});
  for (SourceFile& file : files)
    for (Document& document : file.documents) TRY(add_document(context, scope, file.path, std::move(document), model));
  set_defaults(model, context.options.interpolate);
  TRY(validate_rules(context, model));
  if (scope.resolve_paths) TRY(resolve_paths(context, scope.prefix, model));
  take_environment(scope.environment, model);
  return model;
}

Result<LoadedFile> load_extended_file(Context& context, const Scope& scope, const std::string& path) {
  LoadedFile file{.model = Node::map_at({}), .resets = {}};
  for (Document& document : TRY(context.read_yaml(path))) {
    Node root = std::move(document.root);
    TRY(prepare(context, scope, document, root));
    apply_resets(file.model, document.resets);
    TRY(combine(context, file.model, std::move(root), false));
    file.resets = std::move(document.resets);
  }
  return file;
}

}  // namespace berth::compose
