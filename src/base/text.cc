#include "base/text.h"

#include <algorithm>
#include <numeric>

namespace berth {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Reads one command line; `quote` is the kind of quotation that is open: ' " ` ( or 0.
class WordReader {
 public:
  Result<std::vector<std::string>> read(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (quote_ == 0 && std::string_view(";&|<>").find(text[at]) != std::string_view::npos && !escaped_) {
        drop_descriptor(text[at]);
        break;
      }
      if (!take(text[at])) return refuse("a parenthesis stands outside quotes");
    }
    if (escaped_) return refuse("it ends with a backslash");
    if (quote_ != 0) return refuse("a quote is not closed");
    end_word();
    return std::move(words_);
  }

 private:
  static std::unexpected<Error> refuse(std::string_view why) {
    return fail(Code::invalid, "invalid command line string: " + std::string(why));
  }

  bool take(char c) {
    if (escaped_) {
      take_escaped(c);
    } else if (c == '\\' && quote_ != '\'') {
      escaped_ = true;
    } else if (quote_ == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
      end_word();
    } else {
      return take_plain(c);
    }
    return true;
  }

  void take_escaped(char c) {
    escaped_ = false;
    if (quote_ == '`' || quote_ == '(') {
      word_ += '\\';
    } else if (c == 't' || c == 'n') {
      c = c == 't' ? '\t' : '\n';
    }
    word_ += c;
    open_ = true;
  }

  bool take_plain(char c) {
    const bool quoting = c == '"' || c == '\'';
    if (quoting && (quote_ == 0 || quote_ == c)) {
      quote_ = quote_ == 0 ? c : 0;
      open_ = true;
      return true;
    }
    if (quote_ == 0 && c == '(' && !word_.ends_with('$')) return false;
    if (quote_ == 0 && c == ')') return false;
    if (quote_ == 0 && (c == '(' || c == '`')) {
      quote_ = c;
    } else if ((quote_ == '(' && c == ')') || (quote_ == '`' && c == '`')) {
      quote_ = 0;
    }
    word_ += c;
    open_ = true;
    return true;
  }

  void end_word() {
    if (open_) words_.push_back(std::move(word_));
    word_.clear();
    open_ = false;
  }

  // In `2>file` the digits belong to the redirection and are no word.
  void drop_descriptor(char c) {
    const bool digits = word_.find_first_not_of("0123456789") == std::string::npos;
    if (c == '>' && !word_.empty() && digits) open_ = false;
  }

  std::vector<std::string> words_;
  std::string word_;
  bool open_ = false;
  bool escaped_ = false;
  char quote_ = 0;
};

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

Cut cut(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {text, {}, false};
  return {text.substr(0, at), text.substr(at + 1), true};
}

Cut cut_last(std::string_view text, char separator) {
  const std::size_t at = text.rfind(separator);
  if (at == std::string_view::npos) return {text, {}, false};
  return {text.substr(0, at), text.substr(at + 1), true};
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

bool equal_fold(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  out.reserve(text.size());
  for (;;) {
    const std::size_t at = text.find(from);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += to;
    text.remove_prefix(at + from.size());
  }
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string_view did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  // A third of the letters may be wrong, as a rule of thumb; a long word is no typing error but hostile input.
  if (word.size() > 64) return {};
  std::size_t best = word.size() / 3 + 2;
  std::string_view found;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(lower(word), candidate);
    if (distance < best && distance < candidate.size()) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view found = did_you_mean(word, candidates);
  return found.empty() ? "" : " (did you mean \"" + std::string(found) + "\"?)";
}

Result<std::vector<std::string>> split_words(std::string_view text) {
  return WordReader().read(text);
}

}  // namespace berth
