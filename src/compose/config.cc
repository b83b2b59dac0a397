#include "compose/config.h"

#include <algorithm>

#include "base/text.h"
#include "compose/yaml_text.h"

namespace berth::compose {
namespace {

std::string escaped(std::string text, const ConfigOptions& options) {
  return options.escape_dollars && text.find('$') != std::string::npos ? replace_all(text, "$", "$$") : text;
}

// Whether YAML reads the bare text as the same text, and Compose too.
bool is_plain(std::string_view text) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/_";
  constexpr std::string_view kRest = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/_0123456789.-+@,=$()";
  if (text.empty() || kFirst.find(text[0]) == std::string_view::npos) return false;
  for (const std::string_view word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
    if (equal_fold(text, word)) return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    // A colon or a space inside is fine unless it ends a key or begins a comment.
    const bool inner = i + 1 < text.size() && text[i + 1] != ' ' && text[i + 1] != '#';
    if (kRest.find(text[i]) == std::string_view::npos && !((text[i] == ':' || text[i] == ' ') && inner)) return false;
  }
  return true;
}

std::string word(std::string_view text) {
  return is_plain(text) ? std::string(text) : fit_for_yaml(quote_json(text));
}

void write(const Json& value, std::size_t indent, std::string& out);

void write_below(const Json& value, std::size_t indent, std::string& out) {
  if ((value.is_object() || value.is_array()) && value.size() > 0) {
    out += '\n';
    write(value, indent, out);
  } else {
    out += ' ';
    write(value, indent, out);
    out += '\n';
  }
}

void write(const Json& value, std::size_t indent, std::string& out) {
  if (value.is_object() && value.size() > 0) {
    for (const auto& [key, member] : value.members()) {
      out.append(indent, ' ').append(word(key)).append(":");
      write_below(member, indent + 2, out);
    }
  } else if (value.is_array() && value.size() > 0) {
    for (const Json& item : value.items()) {
      out.append(indent, ' ').append("-");
      const bool nested = item.is_object() && item.size() > 0;
      const std::size_t from = out.size();
      if (!nested) {
        write_below(item, indent + 2, out);
        continue;
      }
      write(item, indent + 2, out);
      out.replace(from, indent + 2, " ");  // the first member stands beside the dash
    }
  } else {
    out += value.is_text() ? word(value.text()) : value.dump();
  }
}

// What the canonical model leaves out stands behind what it has. Marks of the loader are nobody's business.
Json with_extensions(const Json& value, const Json& extensions) {
  if (extensions.is_null()) return value;
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value.items()) out.push(with_extensions(item, extensions[std::to_string(out.size())]));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [key, member] : value.members()) out.set(key, with_extensions(member, extensions[key]));
  for (const auto& [key, member] : extensions.members())
    if (key.starts_with("x-") && !key.starts_with("x-#") && !out.contains(key)) out.set(key, member);
  return out;
}

}  // namespace

std::string config_json(const Project& project, const ConfigOptions& options) {
  return escaped(fit_for_yaml(project.document.dump(2)), options) + "\n";
}

std::string config_yaml(const Project& project, const ConfigOptions& options) {
  std::string out;
  write(with_extensions(project.document, project.extensions), 0, out);
  return escaped(std::move(out), options);
}

}  // namespace berth::compose
