#include "engine/dockerfile.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "engine/dockerfile_parts.h"
#include "engine/reference.h"

namespace berth::engine {
namespace {

constexpr std::string_view kBlank = " \t\r";

bool takes_heredoc(std::string_view keyword) {
  return keyword == "RUN" || keyword == "COPY" || keyword == "ADD";
}

struct Directives {
  char escape = '\\';
  std::string syntax{};
  int syntax_line = 0;
};

// `# name=value` lines, which stand before everything else.
Directives directives_of(const std::vector<std::string_view>& lines) {
  Directives out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = trim(lines[i]);
    const Cut parts = cut(line.starts_with('#') ? line.substr(1) : line, '=');
    const std::string name = lower(trim(parts.before));
    const bool known = name == "syntax" || name == "escape" || name == "check";
    if (!line.starts_with('#') || !parts.found || !known) break;
    const std::string_view value = trim(parts.after);
    if (name == "escape" && value == "`") out.escape = '`';
    if (name != "syntax") continue;
    out.syntax = value;
    out.syntax_line = static_cast<int>(i) + 1;
  }
  return out;
}

// The words after << in a line: what ends each here document, and whether tabs before it count.
struct Heredoc {
  std::string end;
  bool tabs = false;
};
std::vector<Heredoc> heredocs_in(std::string_view line) {
  std::vector<Heredoc> out;
  for (std::size_t at = line.find("<<"); at != std::string_view::npos; at = line.find("<<", at)) {
    const bool follows_word = at > 0 && kBlank.find(line[at - 1]) == std::string_view::npos && !is_digit(line[at - 1]);
    at += 2;
    Heredoc one;
    if (at < line.size() && line[at] == '-') {
      one.tabs = true;
      ++at;
    }
    std::string_view rest = line.substr(at);
    const char quote = rest.empty() ? '\0' : rest.front();
    if (quote == '"' || quote == '\'') {
      one.end = rest.substr(1, rest.find(quote, 1) == std::string_view::npos ? 0 : rest.find(quote, 1) - 1);
    } else {
      one.end = rest.substr(0, std::min(rest.size(), rest.find_first_not_of(kWordBytes)));
    }
    if (!one.end.empty() && !follows_word) out.push_back(std::move(one));
  }
  return out;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : lines_(split(text, '\n')), directives_(directives_of(lines_)) {}

  Dockerfile scan() {
    Dockerfile file{.syntax_line = directives_.syntax_line, .syntax = directives_.syntax};
    while (at_ < lines_.size()) {
      const std::string_view line = trim(lines_[at_]);
      if (line.empty() || line.starts_with('#')) {
        ++at_;
      } else {
        file.instructions.push_back(instruction());
      }
    }
    return file;
  }

 private:
  // Without the escape at its end; whether there was one.
  bool continued(std::string_view& line) const {
    std::string_view rest = line;
    while (!rest.empty() && kBlank.find(rest.back()) != std::string_view::npos) rest.remove_suffix(1);
    if (rest.empty() || rest.back() != directives_.escape) return false;
    line = rest.substr(0, rest.size() - 1);
    return true;
  }

  Instruction instruction() {
    Instruction out{.line = static_cast<int>(at_) + 1};
    std::string joined;
    bool more = true;
    while (more && at_ < lines_.size()) {
      std::string_view line = lines_[at_++];
      const std::string_view bare = trim(line);
      if (!joined.empty() && (bare.empty() || bare.starts_with('#'))) continue;
      more = continued(line);
      joined += line;
    }
    const std::string_view whole = trim(joined);
    const std::size_t end = std::min(whole.size(), whole.find_first_of(kBlank));
    out.keyword = lower(whole.substr(0, end));
    for (char& letter : out.keyword)
      if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    out.text = trim(whole.substr(end));
    if (takes_heredoc(out.keyword)) skip_heredocs(out);
    out.last = static_cast<int>(at_);
    return out;
  }

  void skip_heredocs(Instruction& out) {
    const auto begin = at_;
    for (const Heredoc& heredoc : heredocs_in(out.text)) {
      auto at = at_;
      while (at < lines_.size() && !ends(heredoc, lines_[at])) ++at;
      if (at == lines_.size()) break;  // none at all: a shift in a shell's arithmetic
      at_ = at + 1;
    }
    out.heredoc = at_ != begin;
  }

  static bool ends(const Heredoc& heredoc, std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (heredoc.tabs && line.starts_with('\t')) line.remove_prefix(1);
    return line == heredoc.end;
  }

  std::vector<std::string_view> lines_;
  Directives directives_;
  std::size_t at_ = 0;
};

// The value of ${NAME}, ${NAME:-word}, ${NAME-word}, ${NAME:+word}; `inside` is what stands between the braces.
std::string braced(std::string_view inside, const Arguments& arguments) {
  const std::size_t end = std::min(inside.size(), inside.find_first_not_of(kWordBytes));
  const auto found = arguments.find(std::string(inside.substr(0, end)));
  const std::string value = found == arguments.end() ? std::string() : found->second;
  std::string_view rest = inside.substr(end);
  const bool colon = rest.starts_with(':');
  if (colon) rest.remove_prefix(1);
  const bool set = found != arguments.end() && !(colon && value.empty());
  if (rest.starts_with('-')) return set ? value : expand(rest.substr(1), arguments);
  if (rest.starts_with('+')) return set ? expand(rest.substr(1), arguments) : std::string();
  return value;
}

std::size_t closing_brace(std::string_view text, std::size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && --depth == 0) return at;
  }
  return std::string_view::npos;
}

// One of several readers of stages: which names are stages so far.
bool is_stage(const std::vector<std::string>& stages, std::string_view name) {
  const bool number = !name.empty() && std::ranges::all_of(name, is_digit);
  return number || std::ranges::any_of(stages, [&](const std::string& one) { return equal_fold(one, name); });
}

void add(std::vector<std::string>& out, std::string name) {
  if (!name.empty() && name != "scratch" && std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
}

std::string collapsed(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    const bool blank = byte == ' ' || byte == '\t' || byte == '\r';
    if (!blank) out += byte;
    if (blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  return out;
}

}  // namespace

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

std::string expand(std::string_view text, const Arguments& arguments) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    if (text[at + 1] == '{') {
      const std::size_t end = closing_brace(text, at + 1);
      if (end == std::string_view::npos) return out;
      out += braced(text.substr(at + 2, end - at - 2), arguments);
      at = end;
      continue;
    }
    const std::string_view rest = text.substr(at + 1);
    const std::string_view name = rest.substr(0, std::min(rest.size(), rest.find_first_not_of(kWordBytes)));
    if (const auto found = arguments.find(std::string(name)); found != arguments.end()) out += found->second;
    at += name.size();
  }
  return out;
}

Arguments global_arguments(const Dockerfile& file, const Arguments& given) {
  Arguments out;
  for (const Instruction& one : file.instructions) {
    if (one.keyword == "FROM") break;
    if (one.keyword != "ARG") continue;
    const auto words = split_words(one.text);
    for (const std::string& word : words ? *words : std::vector<std::string>()) {
      const Cut parts = cut(word, '=');
      const std::string name(parts.before);
      const auto found = given.find(name);
      if (found != given.end()) {
        out[name] = found->second;
      } else if (parts.found) {
        out[name] = expand(parts.after, out);
      }
    }
  }
  return out;
}

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n", at);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(text.size(), text.find_first_of(" \t\r\n", begin));
    out.push_back({text.substr(begin, end - begin), begin});
    at = end;
  }
  return out;
}

FromLine parse_from(std::string_view text) {
  FromLine out;
  auto words = words_of(text);
  std::erase_if(words, [](const Word& word) { return word.text.starts_with("--"); });
  if (!words.empty()) out.image = words[0];
  if (words.size() >= 3 && equal_fold(words[1].text, "as")) out.stage = words[2].text;
  return out;
}

std::vector<Word> sources_in(std::string_view keyword, std::string_view text) {
  std::vector<Word> out;
  for (const Word& word : words_of(text)) {
    if (!word.text.starts_with("--")) break;
    const bool copies = (keyword == "COPY" || keyword == "ADD") && word.text.starts_with("--from=");
    if (copies) out.push_back({word.text.substr(7), word.at + 7});
    if (keyword != "RUN" || !word.text.starts_with("--mount=")) continue;
    std::size_t at = 8;
    for (const std::string_view part : split(word.text.substr(8), ',')) {
      if (part.starts_with("from=")) out.push_back({part.substr(5), word.at + at + 5});
      at += part.size() + 1;
    }
  }
  return out;
}

Dockerfile scan_dockerfile(std::string_view text) {
  return Scanner(text).scan();
}

std::vector<std::string> base_images(const Dockerfile& file, const Arguments& arguments) {
  const Arguments known = global_arguments(file, arguments);
  std::vector<std::string> out, stages;
  for (const Instruction& one : file.instructions) {
    if (one.keyword == "FROM") {
      const FromLine from = parse_from(one.text);
      if (std::string name = expand(from.image.text, known); !is_stage(stages, name)) add(out, std::move(name));
      if (!from.stage.empty()) stages.emplace_back(from.stage);
    }
    for (const Word& source : sources_in(one.keyword, one.text))
      if (!is_stage(stages, source.text)) add(out, std::string(source.text));
  }
  return out;
}

std::optional<NeedsBuildkit> needs_buildkit(const Dockerfile& file) {
  for (const Instruction& one : file.instructions) {
    if (one.heredoc) return NeedsBuildkit{one.line, "a here document"};
    for (const Word& word : words_of(one.text)) {
      if (!word.text.starts_with("--")) break;
      const std::string_view flag = cut(word.text, '=').before;
      const bool run = one.keyword == "RUN";
      const bool copy = (one.keyword == "COPY" || one.keyword == "ADD") && flag != "--from" && flag != "--chown";
      if (run || copy) return NeedsBuildkit{one.line, one.keyword + " " + std::string(flag)};
    }
  }
  return std::nullopt;
}

int line_of_step(const Dockerfile& file, std::size_t number) {
  return number >= 1 && number <= file.instructions.size() ? file.instructions[number - 1].line : 0;
}

namespace {

// "[stage i/n]" of a step's name; nothing when it has none.
struct StepName {
  std::string_view stage{};
  std::size_t number = 0, count = 0;
  std::string_view text{};
};
std::optional<StepName> parse_step(std::string_view name) {
  const std::size_t end = name.find("] ");
  if (!name.starts_with('[') || end == std::string_view::npos) return std::nullopt;
  StepName out{.text = name.substr(end + 2)};
  const std::string_view inside = name.substr(1, end - 1);
  const Cut place = cut_last(inside, ' ');
  const std::string_view counts = place.found ? place.after : inside;
  const Cut pair = cut(counts, '/');
  if (place.found) out.stage = trim(place.before);
  // With a platform: "[linux/amd64 build 2/3]".
  if (const Cut last = cut_last(out.stage, ' '); last.found) out.stage = last.after;
  const auto number = [](std::string_view digits, std::size_t& to) {
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), to);
    return error == std::errc{} && stop == digits.data() + digits.size();
  };
  if (!pair.found || !number(pair.before, out.number) || !number(pair.after, out.count)) return std::nullopt;
  return out;
}

struct StageRange {
  std::string name;
  std::vector<const Instruction*> steps{};  ///< those that BuildKit counts, without FROM
  const Instruction* from = nullptr;
};
std::vector<StageRange> stages_of(const Dockerfile& file) {
  std::vector<StageRange> out;
  for (const Instruction& one : file.instructions) {
    if (one.keyword == "FROM") {
      const std::string stage(parse_from(one.text).stage);
      out.push_back({.name = stage.empty() ? "stage-" + std::to_string(out.size()) : stage, .from = &one});
    }
    const bool counts =
        one.keyword == "RUN" || one.keyword == "COPY" || one.keyword == "ADD" || one.keyword == "WORKDIR";
    if (counts && !out.empty()) out.back().steps.push_back(&one);
  }
  return out;
}

}  // namespace

int line_of_step(const Dockerfile& file, std::string_view name) {
  const auto step = parse_step(name);
  if (!step) return 0;
  const std::string wanted = collapsed(step->text);
  for (const StageRange& stage : stages_of(file)) {
    if (!step->stage.empty() && !equal_fold(stage.name, step->stage)) continue;
    for (const Instruction* one : stage.steps)
      if (collapsed(one->keyword + " " + one->text) == wanted) return one->line;
    if (wanted.starts_with("FROM ")) return stage.from->line;
    // Arguments were put in, so that the text is another: from the end, since FROM counts only sometimes.
    const std::size_t behind = step->count - std::min(step->count, step->number);
    if (behind < stage.steps.size()) return stage.steps[stage.steps.size() - 1 - behind]->line;
  }
  return 0;
}

}  // namespace berth::engine
