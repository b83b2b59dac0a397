#include "cli/template.h"

#include <algorithm>

#include "base/text.h"

namespace berth::cli {
namespace {

constexpr std::string_view kFunctions[] = {"json", "upper", "lower"};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string shown(const Json& value) {
  return value.is_text() ? std::string(value.text()) : value.dump();
}

// "a=1,b=2" -> the value of `key`.
std::string label_of(std::string_view labels, std::string_view key) {
  for (const auto pair : split(labels, ','))
    if (const auto [name, value, found] = cut(pair, '='); found && name == key) return std::string(value);
  return {};
}

std::unexpected<Error> unknown(std::string_view action) {
  return fail(Code::invalid, "--format: {{" + std::string(action) +
                                 "}} is not understood; fields ({{.Name}}), {{json .}}, upper, lower and {{.Label "
                                 "\"key\"}} are");
}

}  // namespace

Result<void> Template::add_word(Part& part, std::string_view word) {
  if (word.starts_with('.') && part.field.empty())
    part.field = word;
  else if (std::ranges::find(kFunctions, word) != std::end(kFunctions))
    part.functions.emplace_back(word);
  else if (part.field == ".Label" && word.size() > 1 && word.front() == '"' && word.back() == '"')
    part.text = word.substr(1, word.size() - 2);
  else
    return unknown(word);
  return {};
}

Result<Template::Part> Template::parse_action(std::string_view inner) {
  Part part{.action = true};
  for (const auto stage : split(inner, '|')) {
    // Of `json .Name` the function comes first, of `.Name | json` last: both are applied to the field.
    for (const auto word : split(trim(stage), ' '))
      if (!word.empty()) TRY(add_word(part, word));
  }
  if (part.field.empty() || (part.field == ".Label" && part.text.empty())) return unknown(inner);
  return part;
}

Result<Template> Template::parse(std::string_view text) {
  Template out;
  while (!text.empty()) {
    const auto open = text.find("{{");
    const auto literal = text.substr(0, open);
    if (!literal.empty()) out.parts_.push_back({.text = replace_all(replace_all(literal, "\\t", "\t"), "\\n", "\n")});
    if (open == std::string_view::npos) break;
    const auto close = text.find("}}", open);
    if (close == std::string_view::npos)
      return fail(Code::invalid, "--format: \"" + std::string(text.substr(open)) + "\" lacks its }}");
    out.parts_.push_back(TRY(parse_action(trim(text.substr(open + 2, close - open - 2)))));
    text.remove_prefix(close + 2);
  }
  return out;
}

Result<std::string> Template::value_of(const Part& part, const Json& row) {
  Json value;
  if (part.field == ".") {
    value = row;
  } else if (part.field == ".Label") {
    value = label_of(row["Labels"].text(), part.text);
  } else {
    const auto name = std::string_view(part.field).substr(1);
    if (!row.contains(name)) {
      std::vector<std::string> names;
      for (const auto& [key, member] : row.members()) names.push_back("." + key);
      return fail(Code::invalid, "--format: there is no field " + part.field + "; there are " + join(names, " "));
    }
    value = row[name];
  }
  for (const auto& function : part.functions)
    value =
        function == "json" ? Json(value.dump()) : Json(function == "upper" ? upper(shown(value)) : lower(shown(value)));
  return shown(value);
}

Result<std::string> Template::render(const Json& row) const {
  std::string out;
  for (const auto& part : parts_) out += part.action ? TRY(value_of(part, row)) : part.text;
  return out;
}

std::string Template::header() const {
  std::string out;
  for (const auto& part : parts_)
    out += !part.action ? part.text : part.field == ".Label" ? part.text : part.field.substr(1);
  return out;
}

}  // namespace berth::cli
