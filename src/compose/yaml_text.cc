#include "compose/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/utf8.h"

namespace berth::compose {
namespace {

constexpr std::size_t kOpenBrackets = 10'000;
constexpr std::size_t kMostTag = 1024;  // bytes
constexpr std::string_view kUriMarks = "%#;/?:@&=+$,_.!~*'()[]-";

bool in_uri(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kUriMarks.contains(c);
}

// "1.2" of "%YAML 1.2 # as usual".
std::string_view version_of(std::string_view directive) {
  directive.remove_prefix(std::string_view("%YAML").size());
  return trim(directive.substr(0, directive.find('#')));
}

// What YAML 1.1 or 1.2 takes as the end of a line: next line, line and paragraph separators besides CR and LF.
bool breaks(std::string_view c) {
  return c == "\n" || c == "\r" || c == "\xC2\x85" || c == "\xE2\x80\xA8" || c == "\xE2\x80\xA9";
}

// Walks one source character by character.
class TextCheck {
 public:
  TextCheck(const Sources& sources, std::uint16_t file) : sources_(sources), text_(sources.text(file)) {
    mark_.file = file;
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  Result<void> run() {
    bool first = true;  // of its line
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (first && c == '%') TRY(directive());
      first = false;
      if (c >= ' ' && c < 0x7f) {
        if (c == '!') TRY(tag());
        TRY(bracket(c));
        step(1);
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) return refuse("invalid YAML: this is not UTF-8");
      const std::string_view character = text_.substr(at_, length);
      first = breaks(character);
      if (!first && !is_printable(character)) return refuse("invalid YAML: control characters are not allowed");
      step(length);
      if (character == "\n") mark_ = {mark_.line + 1, 1, mark_.file};
    }
    return {};
  }

 private:
  void step(std::size_t bytes) {
    at_ += bytes;
    mark_.column = static_cast<std::uint16_t>(std::min(mark_.column + 1, 65535));
  }

  std::unexpected<Error> refuse(std::string message) const { return fail(sources_.error(mark_, std::move(message))); }

  // libfyaml takes a percent sign at the start of a line as a directive wherever it stands, skips one that it does not
  // know, in quadratic time, and never ends at bytes that are not UTF-8 within it.
  Result<void> directive() const {
    std::string_view line = text_.substr(at_, kMostTag + 1);
    line = line.substr(0, line.find_first_of("\r\n"));
    if (line.size() > kMostTag) return refuse("invalid YAML: the directive is too long");
    const std::string_view name = line.substr(0, line.find_first_of(" \t"));
    if (name == "%TAG") return {};
    if (name != "%YAML") return refuse(fmt::format("invalid YAML: unknown directive {}", clean_utf8(name)));
    const std::string_view version = version_of(line);
    if (version == "1.1" || version == "1.2") return {};
    return refuse("invalid YAML: the version is neither 1.1 nor 1.2");
  }

  // libfyaml needs quadratic time for the escapes of a tag.
  Result<void> tag() const {
    if (at_ > 0 && !std::string_view(" \t\r\n[{,:").contains(text_[at_ - 1])) return {};
    std::string_view tag = text_.substr(at_ + 1, kMostTag + 1);
    if (tag.starts_with('<')) tag.remove_prefix(1);
    if (tag.size() < kMostTag || !std::ranges::all_of(tag, in_uri)) return {};
    return refuse("invalid YAML: the tag is too long");
  }

  // libfyaml holds every token of a flow collection until it knows whether that is a key, so a file of brackets is
  // refused before it comes to that. Brackets in texts count too, but no real file leaves that many open.
  Result<void> bracket(char c) {
    if (c == '[' || c == '{') ++open_;
    if ((c == ']' || c == '}') && open_ > 0) --open_;
    if (open_ > kOpenBrackets) return refuse("the document is nested too deep");
    return {};
  }

  const Sources& sources_;
  std::string_view text_;
  Mark mark_{.line = 1, .column = 1};
  std::size_t at_ = 0;
  std::size_t open_ = 0;
};

}  // namespace

Result<void> check_yaml_text(const Sources& sources, std::uint16_t file) {
  return TextCheck(sources, file).run();
}

}  // namespace berth::compose
