// The part of Go's templates that people use with --format: fields, a few functions, literal text. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace berth::cli {

/// `{{.Name}}`, `{{.Label "key"}}`, `{{json .}}`, `{{upper .Name}}`, `{{.Name | lower}}`; \t and \n outside of braces.
/// What else Go's templates know (if, range, variables, ...) is refused by parse().
class Template {
 public:
  /// Code::invalid names the action that is not known.
  static Result<Template> parse(std::string_view text);
  /// Code::invalid for a field that `row` (an object) does not have; names those that it has.
  Result<std::string> render(const Json& row) const;
  /// The names of the fields that are shown, in order, with tabs and text between them: the header of a table.
  std::string header() const;

 private:
  struct Part {
    std::string text{};  ///< literal, or the key of Label
    std::string field{};
    std::vector<std::string> functions{};  ///< applied in order
    bool action = false;
  };
  static Result<Part> parse_action(std::string_view inner);
  static Result<void> add_word(Part& part, std::string_view word);
  static Result<std::string> value_of(const Part& part, const Json& row);

  std::vector<Part> parts_;
};

}  // namespace berth::cli
