// A Dockerfile as far as a client must understand it: its instructions with their lines, the images that it builds on,
// what needs BuildKit. Lenient: what is wrong in it is the builder's to say. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::engine {

/// One instruction with the lines that it takes, here documents included.
struct Instruction {
  int line = 0;  ///< from 1
  int last = 0;
  std::string keyword{};  ///< in upper case
  std::string text{};     ///< what follows the keyword, its continued lines joined; without here documents
  bool heredoc = false;
};

struct Dockerfile {
  int syntax_line = 0;   ///< of `# syntax=`, 0 for none
  std::string syntax{};  ///< the image of the frontend that it asks for
  std::vector<Instruction> instructions{};
  bool hidden = false;  ///< steps must not see it among the files of the context; known by who sends it
};

Dockerfile scan_dockerfile(std::string_view text);

/// Values of `ARG`s before the first FROM: `arguments` over the defaults in the file.
using Arguments = std::map<std::string, std::string>;

/// The images outside of this Dockerfile that it builds on or copies from, each once, in order: names as they are
/// written, with arguments expanded; without its own stages and `scratch`.
std::vector<std::string> base_images(const Dockerfile& file, const Arguments& arguments);

/// The first thing that only BuildKit understands.
struct NeedsBuildkit {
  int line = 0;
  std::string what{};  ///< "RUN --mount", "a here document"
};
std::optional<NeedsBuildkit> needs_buildkit(const Dockerfile& file);

/// The same file with named contexts put in: where it builds on, copies from or mounts `name`, it does so from the
/// image; a stage called `name` is that image. Lines stay where they are.
std::string with_contexts(std::string_view text, const std::map<std::string, std::string>& images,
                          const Arguments& arguments);

/// The line of step `number` (from 1) of the classic builder, 0 when there is none.
int line_of_step(const Dockerfile& file, std::size_t number);
/// The line behind BuildKit's name of a step, "[build 2/3] RUN make"; 0 when it is none of this file.
int line_of_step(const Dockerfile& file, std::string_view name);

}  // namespace berth::engine
