// YAML as a tree of plain values that remember where they were written; what every stage of the loader works on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace berth::compose {

/// A place in a source; `file` indexes Sources, line and column count from 1, 0 means unknown.
struct Mark {
  std::uint32_t line = 0;
  std::uint16_t column = 0;
  std::uint16_t file = 0;
};

/// The files of one load, for messages. Index 0 is "no file".
class Sources {
 public:
  /// `shown` is the path for messages.
  std::uint16_t add(std::string shown, std::string text);
  const std::string& shown(std::uint16_t file) const { return files_[file].shown; }
  const std::string& text(std::uint16_t file) const { return files_[file].text; }
  /// Code::invalid: "file:line:column: message", with that line and a caret as detail.
  Error error(Mark mark, std::string message) const;

 private:
  struct Source {
    std::string shown;
    std::string text;
  };
  std::vector<Source> files_ = std::vector<Source>(1);
};

/// What one load may still use up, over all files and stages: hostile input (an alias bomb, a file that includes itself
/// by many names, values that grow by interpolation) fails early instead of filling the memory.
struct Budget {
  std::size_t nodes = 500'000;
  std::size_t bytes = 64u << 20;
  std::size_t files = 1000;
  /// False when `count` nodes with `text` bytes are more than is left.
  bool take(std::size_t count, std::size_t text);
};

enum class Kind : std::uint8_t { null, boolean, integer, real, text, list, map };

/// One YAML value. In a map each item has its key; keys are unique and keep their order.
struct Node {
  Kind kind = Kind::null;
  bool boolean = false;
  Mark mark{};
  Mark key_mark{};
  std::int64_t integer = 0;
  double real = 0;
  std::string key{};
  std::string text{};
  std::vector<Node> items{};

  static Node null_at(Mark mark);
  static Node text_at(std::string text, Mark mark);
  static Node integer_at(std::int64_t value, Mark mark);
  static Node boolean_at(bool value, Mark mark);
  static Node list_at(Mark mark);
  static Node map_at(Mark mark);

  bool is_null() const { return kind == Kind::null; }
  bool is_text() const { return kind == Kind::text; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  bool is_scalar() const { return kind != Kind::list && kind != Kind::map; }
  /// REQUIRES: map. Linear: for maps with few keys.
  const Node* find(std::string_view name) const;
  Node* find(std::string_view name);
  /// The text of that member, "" when it is absent or no text.
  std::string_view text_of(std::string_view name) const;
  /// Replaces the member or appends it. REQUIRES: map.
  Node& set(std::string_view name, Node value);
  void erase(std::string_view name);
  /// Takes another value (kind, text, items, mark) and keeps the own key.
  void become(Node value);
  /// Moves the value out, without the key, which stays here.
  Node take();
  /// A scalar the way Go prints it: 511 for 0777, 1.5, true, and "" for null.
  std::string scalar_text() const;
  /// "a text", "a list", ... for messages.
  std::string_view kind_name() const;
};

/// Keys from the root, of what a tag `!reset` or `!override` was written on.
using NodePath = std::vector<std::string>;

struct Document {
  Node root;
  std::vector<NodePath> resets;  ///< to be removed from what earlier files said, before this one is merged
};

/// Every document of a source. YAML 1.2 core schema as go-yaml resolves it, merge keys and aliases expanded.
/// Code::invalid with the place for what is no YAML, a duplicate key, a key that is no text, an unknown alias, a
/// document nested deeper than 100, or more than `budget`.
Result<std::vector<Document>> parse_yaml(const Sources& sources, std::uint16_t file, Budget& budget);

/// Sets kind and value of a plain scalar from its text: null, boolean, integer, real, else text.
void resolve_plain(Node& node);
/// strconv.ParseFloat-like: the whole text is a decimal number.
bool parse_real(std::string_view text, double& value);
/// The shortest text that reads back as `value`, with an exponent from 1e21 on, as Go prints it.
std::string real_text(double value);

/// Nodes of `node`, itself included.
std::size_t count_nodes(const Node& node);
Json to_json(const Node& node);

}  // namespace berth::compose
