#include <fmt/format.h>

#include <memory>
#include <unordered_map>

#include "base/text.h"
#include "compose/load_stages.h"
#include "compose/merge.h"
#include "compose/short.h"

namespace berth::compose {
namespace {

constexpr std::size_t kDepth = 100;

// The services of one file, found by name.
struct Pool {
  std::string path;
  Node* services = nullptr;
  const std::vector<NodePath>* resets = nullptr;
  std::unordered_map<std::string, std::size_t> index{};
  LoadedFile own{};  ///< of a file that only `extends` names

  void build_index() {
    for (std::size_t i = 0; i < services->items.size(); ++i) index.emplace(services->items[i].key, i);
  }
};

struct Reference {
  std::string service;
  std::string file;  ///< "" for the same file
  Mark mark;
};

class Extender {
 public:
  Extender(Context& context, const Scope& scope) : context_(context), scope_(scope) {}

  Result<void> resolve(Pool& pool, std::size_t at) {
    Node& service = pool.services->items[at];
    if (service.is_null()) return {};
    if (!service.is_map())
      return context_.fail_at(service.mark, fmt::format("services.{} must be a mapping", service.key));
    const Node* extends = service.find("extends");
    if (extends == nullptr) return {};
    const Reference reference = TRY(read(*extends, service.key));
    TRY(enter(pool, service.key, reference));
    Pool& from = reference.file.empty() ? pool : *TRY(open(reference));
    const auto base = from.index.find(reference.service);
    if (base == from.index.end()) return fail(missing(from, service.key, reference));
    TRY(resolve(from, base->second));
    chain_.pop_back();
    return apply(pool, at, from.services->items[base->second]);
  }

 private:
  Result<Reference> read(const Node& extends, const std::string& name) const {
    if (extends.is_text()) return Reference{.service = extends.text, .file = "", .mark = extends.mark};
    const Node* service = extends.is_map() ? extends.find("service") : nullptr;
    const Node* file = extends.is_map() ? extends.find("file") : nullptr;
    if (service == nullptr || !service->is_text())
      return context_.fail_at(extends.mark, fmt::format("services.{}.extends: service is required", name));
    if (file != nullptr && !file->is_text() && !file->is_null())
      return context_.fail_at(file->mark, fmt::format("services.{}.extends.file must be a string", name));
    return Reference{
        .service = service->text, .file = file == nullptr || file->is_null() ? "" : file->text, .mark = service->mark};
  }

  Result<void> enter(const Pool& pool, const std::string& name, const Reference& reference) {
    const std::string step = fmt::format("{} in {}", name, context_.shown(pool.path));
    const bool again = std::ranges::find(chain_, step) != chain_.end();
    chain_.push_back(step);
    if (again)
      return context_.fail_at(reference.mark, fmt::format("Circular reference: {}", join(chain_, ", which extends ")));
    if (chain_.size() > kDepth) return context_.fail_at(reference.mark, "too many services extend each other");
    return {};
  }

  Result<Pool*> open(const Reference& reference) {
    auto located = context_.locate(scope_.folder, reference.file);
    if (!located) return fail(context_.at_url(reference.mark, "extends", located.error()));
    const std::string path = std::move(located->path);
    std::unique_ptr<Pool>& pool = pools_[path];
    if (pool) return pool.get();
    auto fresh = std::make_unique<Pool>();
    fresh->path = path;
    auto loaded = load_extended_file(context_, scope_, path);
    if (!loaded && loaded.error().code == Code::not_found)
      return fail(context_.at(reference.mark, "extends", loaded.error()));
    if (!loaded) return fail(std::move(loaded).error());
    fresh->own = *std::move(loaded);
    fresh->services = fresh->own.model.find("services");
    if (fresh->services == nullptr || !fresh->services->is_map())
      return context_.fail_at(reference.mark, fmt::format("cannot extend service \"{}\" in {}: no services section",
                                                          reference.service, context_.shown(path)));
    fresh->resets = &fresh->own.resets;
    TRY(resolve_paths(context_, relative_path(scope_.folder, parent_path(path)), fresh->own.model));
    fresh->build_index();
    pool = std::move(fresh);
    return pool.get();
  }

  Error missing(const Pool& from, const std::string& name, const Reference& reference) const {
    std::vector<std::string_view> names;
    for (const Node& service : from.services->items) names.emplace_back(service.key);
    return context_.sources.error(
        reference.mark,
        fmt::format("cannot extend service \"{}\": service \"{}\" not found in {}{}", name, reference.service,
                    context_.shown(from.path), suggestion(reference.service, names)));
  }

  Result<void> apply(Pool& pool, std::size_t at, const Node& base) {
    Node& service = pool.services->items[at];
    if (base.is_null()) return {};
    if (!context_.budget.take(count_nodes(base), 0))
      return context_.fail_at(service.mark, "the file grows too big when extends are applied");
    Node merged = base;
    merged.key = service.key;
    merged.key_mark = service.key_mark;
    reset_inherited(*pool.resets, merged);
    service.erase("extends");
    TRY(merge_entry(context_, merged, std::move(service), "services"));
    merged.mark = base.mark;
    service = std::move(merged);
    return {};
  }

  // What this file resets in the service is gone from what the service inherits.
  static void reset_inherited(const std::vector<NodePath>& resets, Node& merged) {
    std::vector<NodePath> own;
    for (const NodePath& path : resets)
      if (path.size() > 2 && path[0] == "services" && path[1] == merged.key)
        own.emplace_back(path.begin() + 2, path.end());
    apply_resets(merged, own);
  }

  Context& context_;
  const Scope& scope_;
  std::vector<std::string> chain_;
  std::unordered_map<std::string, std::unique_ptr<Pool>> pools_;
};

}  // namespace

Result<void> apply_extends(Context& context, const Scope& scope, Node& model, const std::vector<NodePath>& resets) {
  Node* services = model.find("services");
  if (services == nullptr || services->is_null()) return {};
  if (!services->is_map()) return context.fail_at(services->mark, "services must be a mapping");
  Pool pool{.path = scope.chain.back(), .services = services, .resets = &resets};
  const bool any = std::ranges::any_of(services->items, [](const Node& service) {
    return !service.is_null() && (!service.is_map() || service.find("extends") != nullptr);
  });
  if (!any) return {};
  pool.build_index();
  Extender extender(context, scope);
  for (std::size_t i = 0; i < services->items.size(); ++i) TRY(extender.resolve(pool, i));
  return {};
}

}  // namespace berth::compose
