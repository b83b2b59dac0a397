#include "engine/build_progress.h"

#include <charconv>

#include "base/base64.h"
#include "base/text.h"
#include "engine/progress.h"

namespace berth::engine {
namespace {

constexpr std::size_t kTailLines = 20;

// The number behind `before` in `text`, 0 when there is none.
std::size_t number_after(std::string_view text, std::string_view before) {
  const std::size_t at = text.find(before);
  std::size_t number = 0;
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + before.size());
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

void BuildProgress::add_line(const std::string& line) {
  log_ += line + "\n";
  if (log_.size() > (64u << 10)) log_.erase(0, 32u << 10);
  if (progress_) progress_(Json::object({{"stream", line + "\n"}}));
}

void BuildProgress::add(const Json& message) {
  failed_ = failed_ || !check_progress(message);
  if (message["id"].text() == "moby.buildkit.trace") {
    const auto bytes = decode_base64(message["aux"].text());
    const auto trace = bytes ? parse_trace(*bytes) : Result<Trace>(std::unexpected(bytes.error()));
    if (!trace) return;
    for (const std::string& line : trace_.add(*trace)) add_line(line);
    return;
  }
  if (message["aux"]["ID"].is_text()) image_ = message["aux"]["ID"].text();
  const std::string_view text = message["stream"].text();
  log_ += text;
  if (log_.size() > (64u << 10)) log_.erase(0, 32u << 10);
  if (const std::size_t step = number_after(text, "Step "); step > 0 && text.starts_with("Step ")) step_ = step;
  // Engines before 17.04 send no aux message.
  constexpr std::string_view kBuilt = "Successfully built ";
  if (image_.empty() && text.starts_with(kBuilt)) image_ = trim(text.substr(kBuilt.size()));
  if (progress_) progress_(message);
}

std::string BuildProgress::tail() const {
  if (!trace_.failed().empty()) return trace_.failed_output();
  const auto lines = split(trim(log_), '\n');
  std::string text;
  for (std::size_t i = lines.size() > kTailLines ? lines.size() - kTailLines : 0; i < lines.size(); ++i)
    text.append(text.empty() ? "" : "\n").append(lines[i]);
  return text;
}

Error BuildProgress::explain(const Error& error, const Dockerfile& file, const std::string& shown) const {
  std::string words = error.message;
  // BuildKit wraps its words in what it was doing.
  for (const std::string_view prefix :
       {"failed to solve with frontend dockerfile.v0: ", "failed to solve with frontend gateway.v0: ",
        "failed to create LLB definition: ", "failed to build LLB: ", "failed to solve: "})
    if (words.starts_with(prefix)) words.erase(0, prefix.size());
  int line = line_of_step(file, trace_.failed());
  if (line == 0) line = static_cast<int>(number_after(words, "parse error on line "));
  if (line == 0) line = static_cast<int>(number_after(words, "parse error line "));
  if (line == 0) line = line_of_step(file, step_);
  const bool frontend = !file.syntax.empty() && trace_.failed().find("resolve image config") == 0;
  if (frontend) {
    line = file.syntax_line;
    words += "; the Dockerfile asks for the frontend " + file.syntax +
             ", which this engine cannot fetch: remove that line, or make the image reachable";
  }
  const std::string place = shown.empty() ? std::string() : shown + (line ? ":" + std::to_string(line) : "") + ": ";
  return {error.code == Code::cancelled ? Code::cancelled : Code::invalid, "build failed: " + place + words, tail()};
}

}  // namespace berth::engine
