#include "edge/cgi_head.h"

#include "base/text.h"

namespace berth::edge {
namespace {

using http::Parsed;

/// The bytes of the head with its empty line; 0: it has not ended.
std::size_t head_size(std::string_view bytes) {
  for (std::size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    const std::string_view rest = bytes.substr(at + 1);
    if (rest.starts_with('\n')) return at + 2;
    if (rest.starts_with("\r\n")) return at + 3;
  }
  return 0;
}

Parsed refused(std::string_view reason) {
  return {.state = Parsed::State::refused, .status = 502, .reason = reason};
}

/// "404 Not Found" -> "404"; "" for what is no status.
std::string_view code_of(std::string_view value) {
  const std::string_view code = value.substr(0, value.find(' '));
  const bool digits = code.size() == 3 && code.find_first_not_of("0123456789") == std::string_view::npos;
  return digits && code[0] >= '1' && code[0] <= '5' ? code : std::string_view();
}

/// The lines of a head as an HTTP/1.1 head has them; in CGI's form the status is a field.
class Lines {
 public:
  explicit Lines(std::string_view head) : http_(head.starts_with("HTTP/1.")) {
    while (!head.empty()) {
      std::string_view line = head.substr(0, head.find('\n'));
      head.remove_prefix(line.size() + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) add(line);
    }
  }
  bool wrong() const { return wrong_; }
  void append_to(std::string& text) const {
    const std::string_view usual = redirects_ ? "302" : "200";
    if (!http_) text.append("HTTP/1.1 ").append(status_.empty() ? usual : status_).append(" \r\n");
    text.append(lines_).append("\r\n");
  }

 private:
  void add(std::string_view line) {
    const Cut parts = cut(line, ':');
    if (http_ || !http::same_name(parts.before, "status")) {
      redirects_ = redirects_ || http::same_name(parts.before, "location");
      lines_.append(line).append("\r\n");
      return;
    }
    wrong_ = wrong_ || !status_.empty() || code_of(trim(parts.after)).empty();
    status_ = code_of(trim(parts.after));
  }

  std::string lines_;
  std::string_view status_;
  bool http_, redirects_ = false, wrong_ = false;
};

/// What a parser lets through and an application may not say.
std::string_view fault_of(const http::ResponseHead& head) {
  if (head.framing.chunked || head.fields.find("transfer-encoding")) return "it is framed by itself";
  return head.status < 200 ? "it is an interim answer" : "";
}

}  // namespace

http::Parsed parse_cgi_head(std::string_view bytes, std::string& text, http::ResponseHead& head) {
  const std::size_t size = head_size(bytes.substr(0, kMostCgiHead));
  if (size == 0) return bytes.size() >= kMostCgiHead ? refused("the head is too large") : Parsed{};
  const Lines lines(bytes.substr(0, size));
  if (lines.wrong()) return refused("its Status is not one");
  text.clear();
  lines.append_to(text);
  Parsed parsed = http::parse_response(text, head, {.bytes = text.size() + 1, .target = 0});
  if (parsed.state == Parsed::State::need_more) return refused("the head is not one");
  if (parsed.state != Parsed::State::complete) return parsed;
  if (const auto fault = fault_of(head); !fault.empty()) return refused(fault);
  parsed.consumed = size;
  return parsed;
}

}  // namespace berth::edge
