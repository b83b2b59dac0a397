// Named contexts put into a Dockerfile, in its own text, so that the lines of errors stay right.
#include <algorithm>

#include "base/text.h"
#include "engine/dockerfile_parts.h"

namespace berth::engine {
namespace {

// One name for an image however it is written: "docker.io/library/alpine:latest" is "alpine".
std::string familiar(std::string_view name) {
  for (const std::string_view prefix : {"docker.io/library/", "docker.io/"})
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  if (name.ends_with(":latest")) name.remove_suffix(7);
  return std::string(name);
}

class Rewriter {
 public:
  Rewriter(std::string_view text, const std::map<std::string, std::string>& images, const Arguments& arguments)
      : text_(text), file_(scan_dockerfile(text)), known_(global_arguments(file_, arguments)) {
    for (const auto& [name, image] : images) images_[familiar(name)] = image;
    lines_.push_back(0);
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
      lines_.push_back(at + 1);
  }

  std::string run() {
    for (const Instruction& one : file_.instructions) {
      if (one.keyword == "FROM") {
        rewrite_from(one);
      } else if (replaced_stage_) {
        blank(one);
      } else {
        rewrite_sources(one);
      }
    }
    return std::move(text_);
  }

 private:
  const std::string* image_of(std::string_view name) const {
    const auto found = images_.find(familiar(name));
    return found == images_.end() ? nullptr : &found->second;
  }
  std::size_t begin_of(int line) const {
    const auto index = static_cast<std::size_t>(line) - 1;
    return index < lines_.size() ? lines_[index] : text_.size();
  }
  // The instruction as it stands in the file.
  std::string_view raw(const Instruction& one) const {
    return std::string_view(text_).substr(begin_of(one.line), begin_of(one.last + 1) - begin_of(one.line));
  }

  // `at` counts from the start of the instruction.
  void replace(const Instruction& one, std::size_t at, std::size_t size, std::string_view by) {
    text_.replace(begin_of(one.line) + at, size, by);
    for (std::size_t line = static_cast<std::size_t>(one.line); line < lines_.size(); ++line)
      lines_[line] += by.size() - size;
  }

  // The whole instruction becomes empty lines.
  void blank(const Instruction& one) {
    const std::string_view old = raw(one);
    const auto breaks = static_cast<std::size_t>(std::ranges::count(old, '\n'));
    std::string empty(breaks, '\n');
    const std::size_t begin = begin_of(one.line), size = old.size();
    for (std::size_t line = static_cast<std::size_t>(one.line); line < lines_.size(); ++line)
      lines_[line] = line < static_cast<std::size_t>(one.last) ? begin + line - static_cast<std::size_t>(one.line) + 1
                                                               : lines_[line] - size + breaks;
    text_.replace(begin, size, empty);
  }

  void rewrite_from(const Instruction& one) {
    const std::string whole(raw(one));
    const auto words = words_of(whole);
    const std::size_t skip = words.empty() ? 0 : words[0].at + words[0].text.size();
    const FromLine from = parse_from(std::string_view(whole).substr(skip));
    replaced_stage_ = !from.stage.empty() && image_of(from.stage);
    const std::string base = expand(from.image.text, known_);
    const bool stage = std::ranges::find(stages_, lower(base)) != stages_.end();
    const std::string* image = replaced_stage_ ? image_of(from.stage) : stage ? nullptr : image_of(base);
    if (!from.stage.empty()) stages_.push_back(lower(from.stage));
    if (image) replace(one, skip + from.image.at, from.image.text.size(), *image);
  }

  void rewrite_sources(const Instruction& one) {
    const std::string whole(raw(one));
    const auto words = words_of(whole);
    if (words.empty()) return;
    const std::size_t skip = words[0].at + words[0].text.size();
    auto sources = sources_in(one.keyword, std::string_view(whole).substr(skip));
    std::ranges::reverse(sources);  // from the end, so that offsets stay right
    for (const Word& source : sources) {
      const std::string name(source.text);
      const bool stage = std::ranges::find(stages_, lower(name)) != stages_.end();
      const std::string* image = stage ? nullptr : image_of(name);
      if (image) replace(one, skip + source.at, name.size(), *image);
    }
  }

  std::string text_;
  Dockerfile file_;
  Arguments known_;
  std::map<std::string, std::string> images_;
  std::vector<std::size_t> lines_;  // where each begins
  std::vector<std::string> stages_;
  bool replaced_stage_ = false;
};

}  // namespace

std::string with_contexts(std::string_view text, const std::map<std::string, std::string>& images,
                          const Arguments& arguments) {
  if (images.empty()) return std::string(text);
  return Rewriter(text, images, arguments).run();
}

}  // namespace berth::engine
