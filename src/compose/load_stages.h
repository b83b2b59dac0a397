// The stages of the loader, in the order in which load() calls them; each works on one tree in place.
#pragma once

#include <string>
#include <vector>

#include "compose/load_context.h"

namespace berth::compose {

/// Where the files of a model stand, and what their variables are.
struct Scope {
  std::string folder;  ///< absolute: names in `include` and `extends` are relative to it
  std::string prefix;  ///< put before relative paths in values; relative itself for an included model
  const Environment& environment;
  bool resolve_paths = true;
  std::vector<std::string> chain{};  ///< absolute paths of the files that include this one
};

struct SourceFile {
  std::string path;  ///< absolute, "-" for standard input
  std::vector<Document> documents;
};

/// Merges the documents of `files` in order, each interpolated, with its includes and extends applied, validated and in
/// the long form; then sets defaults, resolves paths and takes variables from the environment.
Result<Node> load_model(Context& context, const Scope& scope, std::vector<SourceFile> files);

struct LoadedFile {
  Node model;
  std::vector<NodePath> resets;
};
/// One file that `extends` names: interpolated and in the long form, not validated, its own extends left as they are.
Result<LoadedFile> load_extended_file(Context& context, const Scope& scope, const std::string& path);

/// Replaces `include` by what it names.
Result<void> apply_includes(Context& context, const Scope& scope, Node& model, const std::vector<NodePath>& resets);
/// Replaces `extends` in every service by what it names.
Result<void> apply_extends(Context& context, const Scope& scope, Node& model, const std::vector<NodePath>& resets);

/// `marks`: leaves kImpliedKey where a default is one of the newer model only.
void set_defaults(Node& model, bool marks);
Result<void> resolve_paths(Context& context, const std::string& prefix, Node& model);
/// Bare KEY entries of environment lists and `environment:` of secrets and configs take their values.
void take_environment(const Environment& environment, Node& model);
/// Implicit networks and dependencies, names of resources, build defaults. REQUIRES: valid and canonical.
void normalize(Node& model, const std::string& project, const Environment& environment);

/// The model in its typed form, as `config` shows it: durations, sizes and numbers are canonical, zero values left out.
/// Code::invalid with the place for a value that its key cannot have.
Result<Json> render(const Context& context, const Node& model);

/// The variables of `paths` in order; each file sees `environment` and the files before it.
Result<Environment> read_env_files(Context& context, const std::vector<std::string>& paths,
                                   const Environment& environment);

/// The member where secrets and configs keep the value that came from the environment; never shown.
inline constexpr std::string_view kContentKey = "x-#content";

}  // namespace berth::compose
