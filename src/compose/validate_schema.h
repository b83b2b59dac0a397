// The Compose schema as a table: which keys there are, which types they accept, and how `config` shows them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace berth::compose {

/// Kinds of YAML values as bits, as the JSON schema of Compose groups them.
enum Accept : std::uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,  ///< also 3.0
  kReal = 8,
  kText = 16,
  kList = 32,
  kMap = 64,
  kNumber = kInteger | kReal,
};

/// How a value looks in the canonical model, and when it is left out.
enum class Shape : std::uint8_t {
  drop,          ///< never shown
  text,          ///< "" is left out
  boolean,       ///< false is left out
  flag,          ///< shown whenever it is given
  opt_out,       ///< true is left out
  integer,       ///< 0 is left out
  count,         ///< an integer that is shown whenever it is given
  single,        ///< a real number of 32 bits; 0 is left out
  bytes,         ///< the number of bytes as a text; "0" is left out
  duration,      ///< "1m30s", shown whenever it is given
  delay,         ///< a duration; "0s" is left out
  mode,          ///< a file mode as octal text
  device_count,  ///< a number, "all" is -1
  texts,         ///< a list of texts; one text is a list of it
  numbers,       ///< the same, numbers are written as texts
  labels,        ///< a mapping to texts, from key=value too; nothing is ""
  variables,     ///< the same, but nothing stays null
  options,       ///< a mapping to texts
  multi,         ///< a mapping to lists of texts
  hosts,         ///< extra_hosts: a sorted list of host=ip
  command,       ///< words; null is shown
  test,          ///< healthcheck.test
  ulimit,        ///< a number, or soft and hard
  ssh,           ///< "default" and id=path
  object,        ///< the fields of the type
  list,          ///< a list of the items' type
  map,           ///< a mapping to the values' type
};

/// Which keys a mapping without fixed fields may have.
enum class Keys : std::uint8_t {
  any,         ///< any but ""
  name,        ///< [a-zA-Z0-9._-]+
  loose_name,  ///< others pass unchecked
  lower,       ///< [a-z]+, others pass unchecked
};

struct Field;

struct Type {
  std::uint8_t accepts = 0;
  Shape shape = Shape::drop;
  std::span<const Field> fields{};  ///< of a mapping: these keys and no other
  const Type* values = nullptr;     ///< of a mapping with free keys
  const Type* items = nullptr;      ///< of a list
  Keys keys = Keys::any;
  bool extensible = true;                        ///< x-... keys are allowed beside `fields`
  bool open = false;                             ///< unknown keys are allowed beside `fields`
  bool unique = false;                           ///< no two equal entries in the list
  std::span<const std::string_view> choices{};   ///< of a text; empty: any
  std::span<const std::string_view> required{};  ///< keys that must be there
  bool (*matches)(std::string_view text) = nullptr;
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

struct Field {
  std::string_view name;
  const Type* type;
  bool always = false;             ///< shown even when it is not given
  std::string_view shown_as = {};  ///< another name in the canonical model
};

/// The whole file; its sections "services", "networks" and so on are mappings of entries.
const Type& compose_schema();
/// The field of `type`, nullptr when there is none.
const Field* find_field(const Type& type, std::string_view name);

}  // namespace berth::compose
