// The only file that knows RE2.
#include <re2/re2.h>

#include "edge/rule.h"

namespace berth::edge {

class Regex {
 public:
  Regex(std::string_view pattern, const RE2::Options& options, bool whole_text)
      : re(re2::StringPiece(pattern.data(), pattern.size()), options), whole(whole_text) {}
  RE2 re;
  bool whole;
};

Result<std::shared_ptr<const Regex>> compile_regex(std::string_view pattern, RegexOptions options) {
  RE2::Options settings;
  settings.set_log_errors(false);
  settings.set_case_sensitive(!options.ignore_case);
  settings.set_max_mem(1 << 20);
  settings.set_never_capture(true);
  auto regex = std::make_shared<const Regex>(pattern, settings, options.whole);
  if (!regex->re.ok()) {
    return fail(Code::invalid, "\"" + std::string(pattern) + "\" is not a regular expression: " + regex->re.error());
  }
  return regex;
}

bool matches(const Regex& regex, std::string_view text) {
  const re2::StringPiece piece(text.data(), text.size());
  return regex.whole ? RE2::FullMatch(piece, regex.re) : RE2::PartialMatch(piece, regex.re);
}

}  // namespace berth::edge
