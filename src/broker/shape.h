// The bodies of the Engine API as shapes: every member that a body may have, of which kind, and which rule looks at
// its value. A member that is in no shape is refused.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace berth::broker {

/// What a policy may have to grant before a body is passed on.
struct Finding {
  std::string rule;   ///< "privileged", "binds", "capabilities", ...: what grants name
  std::string value;  ///< "/etc", "NET_ADMIN": what a grant may be narrowed to; may be ""
  std::string where;  ///< "HostConfig.CapAdd"
  friend bool operator==(const Finding&, const Finding&) = default;
};
using Findings = std::vector<Finding>;

enum class Kind {
  dropped,       ///< known, of any value, and never passed on
  others,        ///< stands for every other member, which must be null and is not passed on; its name is ""
  flag,          ///< true or false
  whole,         ///< an integer of 64 bits
  number,        ///< any number
  text,          ///< without NUL
  texts,         ///< an array of them
  words,         ///< a text or an array of texts
  text_lists,    ///< an array of arrays of texts
  text_map,      ///< any keys, texts as values
  key_set,       ///< any keys, {} or null as values
  wholes,        ///< an array of integers
  object,        ///< of `shape`
  objects,       ///< an array of them
  object_map,    ///< any keys, objects of `shape` as values
  object_lists,  ///< any keys, arrays of objects of `shape` as values
};

struct Field;
using Shape = std::span<const Field>;
/// Looks at a value that has the right kind; may put it into canonical form, and adds what needs a grant.
using Rule = void (*)(Json& value, const std::string& where, Findings& findings);

struct Field {
  std::string_view name;
  Kind kind;
  Shape shape = {};
  Rule rule = nullptr;
};

/// The shape of an operation's body ("container", "service", ...); empty when there is none of that name.
Shape shape_of(std::string_view body);
/// Whether `body` is an array of `shape_of` ("privileges") or of texts ("settings").
bool is_list(std::string_view body);
/// The rule that looks at the whole body; may be null.
Rule rule_of(std::string_view body);

}  // namespace berth::broker
