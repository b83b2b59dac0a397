#include "compose/dotenv.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"

namespace berth::compose {
namespace {

constexpr std::string_view kBlank = " \t\v\f\r";
constexpr std::string_view kSpace = " \t\v\f\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view skip(std::string_view text, std::string_view set) {
  return text.substr(std::min(text.find_first_not_of(set), text.size()));
}

std::string_view cut_right(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// Bytes above ASCII are letters: names in any script pass.
bool in_key(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::string_view("_.-[]").find(c) != std::string_view::npos || (c >= '0' && c <= '9') ||
         (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// The escape at the start of `text`, which begins with a backslash: \a \b \f \n \r \t \v \" \\, \0ooo as octal; \$
// becomes
// $$, which the interpolation that follows makes a dollar. Returns its length, 0 for what is no escape.
std::size_t take_escape(std::string_view text, std::string& out) {
  constexpr std::string_view kFrom = "abfnrtv\"\\";
  constexpr std::string_view kTo = "\a\b\f\n\r\t\v\"\\";
  const char c = text.size() > 1 ? text[1] : '\0';
  if (c == '$') {
    out += "$$";
    return 2;
  }
  if (const std::size_t at = kFrom.find(c); c != '\0' && at != std::string_view::npos) {
    out += kTo[at];
    return 2;
  }
  if (c != '0') return 0;
  std::size_t end = 2;
  while (end < text.size() && end < 5 && text[end] >= '0' && text[end] <= '9') ++end;
  unsigned code = 0;
  bool octal = end == 5;
  for (const char digit : text.substr(2, end - 2)) {
    octal = octal && digit < '8';
    code = code * 8 + static_cast<unsigned>(digit - '0');
  }
  if (octal && code < 256)
    append_utf8(out, code);
  else
    out.append("\\").append(text.substr(2, end - 2));
  return end;
}

std::string expand_escapes(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t at = text.find('\\');
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at);
    const std::size_t taken = take_escape(text, out);
    if (taken == 0) out += '\\';
    text.remove_prefix(std::max<std::size_t>(taken, 1));
  }
}

class Reader {
 public:
  Reader(std::string_view text, const Dotenv& with, Environment& variables)
      : rest_(text), whole_(text), with_(with), variables_(variables) {
    lookup_ = [this](const std::string& name) -> const std::string* {
      if (const std::string* value = with_.lookup(name)) return value;
      const auto at = variables_.find(name);
      return at == variables_.end() ? nullptr : &at->second;
    };
  }

  Result<void> run() {
    for (;;) {
      rest_ = skip(rest_, kSpace);
      if (rest_.empty()) return {};
      if (rest_.starts_with('#'))
        rest_ = rest_.substr(std::min(rest_.find('\n'), rest_.size()));
      else
        TRY(statement());
    }
  }

 private:
  std::unexpected<Error> refuse(std::string_view at, std::string_view why) const {
    const auto before = whole_.substr(0, static_cast<std::size_t>(at.data() - whole_.data()));
    const std::size_t newline = before.rfind('\n');
    return fail(Code::invalid,
                fmt::format("{}:{}:{}: {}", with_.name, 1 + std::ranges::count(before, '\n'),
                            newline == std::string_view::npos ? before.size() + 1 : before.size() - newline, why));
  }

  Result<void> statement() {
    if (rest_.starts_with("export") && rest_.size() > 6 && kSpace.find(rest_[6]) != std::string_view::npos)
      rest_ = skip(rest_.substr(6), kBlank);
    std::size_t end = 0;
    while (end < rest_.size() && (in_key(rest_[end]) || kBlank.find(rest_[end]) != std::string_view::npos)) ++end;
    if (end == rest_.size()) return value("");  // a last line without newline: nothing names its value
    const char stop = rest_[end];
    if (stop != '=' && stop != ':' && stop != '\n')
      return refuse(rest_, fmt::format("unexpected character '{}' in a variable name", stop));
    const std::string key(cut_right(rest_.substr(0, end)));
    if (key.find(' ') != std::string::npos) return refuse(rest_, "a variable name cannot contain a space");
    rest_ = skip(rest_.substr(end + 1), kBlank);
    if (stop != '\n') return value(key);
    if (const std::string* inherited = with_.lookup(key)) variables_[key] = *inherited;
    return {};
  }

  Result<void> value(const std::string& key) {
    const char quote = rest_.empty() ? '\0' : rest_[0];
    const bool quoted = quote == '"' || quote == '\'';
    const std::string_view at = rest_;
    std::string text = quoted ? TRY(take_quoted(quote)) : take_line();
    if (quote == '"') text = expand_escapes(text);
    if (quote != '\'') {
      auto replaced = substitute(text, lookup_, with_.unset);
      if (!replaced) return refuse(at, replaced.error().message);
      text = *std::move(replaced);
    }
    variables_[key] = std::move(text);
    return {};
  }

  std::string take_line() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_ = rest_.substr(std::min(end + 1, rest_.size()));
    line = line.substr(0, line.find(" #"));
    return std::string(cut_right(line));
  }

  // Between the quotes; a backslash before the quote is dropped, any other stays for later.
  Result<std::string> take_quoted(char quote) {
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == quote) {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (c == '\\' && i + 1 < rest_.size()) {
        ++i;
        if (rest_[i] != quote) text += '\\';
        text += rest_[i];
      } else if (c != '\\') {
        text += c;
      }
    }
    return refuse(rest_, "a quoted value does not end");
  }

  std::string_view rest_;
  std::string_view whole_;
  const Dotenv& with_;
  Environment& variables_;
  Lookup lookup_;
};

}  // namespace

std::string_view without_byte_order_mark(std::string_view text) {
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

Result<void> parse_dotenv(std::string_view text, const Dotenv& with, Environment& variables) {
  if (text.starts_with(kByteOrderMark))
    return fail(Code::invalid, fmt::format("{}:1:1: a byte order mark in a variable name", with.name));
  return Reader(text, with, variables).run();
}

Result<void> parse_raw_env(std::string_view text, const Dotenv& with, Environment& variables) {
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = skip(line, kSpace);
    if (line.empty() || line.starts_with('#')) continue;
    const Cut parts = cut(line, '=');
    const std::string key(parts.before);
    if (key.empty() || key.find_first_of(kSpace) != std::string::npos)
      return fail(Code::invalid,
                  fmt::format("{}:{}:1: a variable name is missing or contains a blank", with.name, number));
    const std::string* inherited = parts.found ? nullptr : with.lookup(key);
    if (parts.found)
      variables[key] = std::string(parts.after);
    else if (inherited != nullptr)
      variables[key] = *inherited;
  }
  return {};
}

}  // namespace berth::compose
