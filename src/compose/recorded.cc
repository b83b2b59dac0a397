#include "compose/recorded.h"

#include <cctype>
#include <set>
#include <string_view>

namespace berth::compose {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

void add_words(std::string_view text, std::set<std::string_view>& words) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > at) words.insert(text.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

Files recording(const Files& files, Texts& texts) {
  Files out = files;
  out.read = [read = files.read, &texts](const std::string& path) {
    auto text = read(path);
    if (text) texts[path] = *text;
    return text;
  };
  return out;
}

std::map<std::string, std::string> named_variables(const std::map<std::string, std::string>& environment,
                                                   const Texts& texts) {
  std::set<std::string_view> words;
  for (const auto& entry : texts) add_words(entry.second, words);
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : environment)
    if (name.starts_with("COMPOSE_") || words.contains(name)) out[name] = value;
  return out;
}

}  // namespace berth::compose
