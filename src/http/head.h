// Strict HTTP/1.1 message heads (RFC 9110, RFC 9112): parsed in place without allocation, written back canonically.
// What is ambiguous is refused, never repaired: it is how requests are smuggled past a proxy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::http {

/// One field line; views into the parsed buffer. `value` has no white space at its ends.
struct Field {
  std::string_view name{};
  std::string_view value{};
};

bool same_text(std::string_view a, std::string_view b);  // REQUIRES: of one size
/// RFC 9110 5.1: names compare without regard to ASCII case.
inline bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && same_text(a, b);
}

/// The field lines of one head in order. A parser takes at most kMost; there is room for a few more of our own.
class Fields {
 public:
  static constexpr std::size_t kMost = 128, kRoom = 160;
  const Field* begin() const { return fields_.data(); }
  const Field* end() const { return fields_.data() + count_; }
  std::size_t size() const { return count_; }
  /// False: there is none of this name; true: look.
  bool may_have(std::string_view name) const { return (names_ >> mark_of(name) & 1) != 0; }
  /// The first value of `name`.
  std::optional<std::string_view> find(std::string_view name) const;
  /// The first value, or "" when absent.
  std::string_view get(std::string_view name) const { return find(name).value_or(std::string_view()); }
  /// Whether a comma-separated list field (all its lines) holds `token`, without regard to case.
  bool has_token(std::string_view name, std::string_view token) const;
  void clear() {
    count_ = 0;
    names_ = 0;
  }
  /// False when it is full.
  bool add(Field field);
  /// Takes out every field for which `drop(field)` is true; the others keep their order.
  template <class Drop>
  void remove_if(Drop drop) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (drop(fields_[i])) continue;
      if (kept != i) fields_[kept] = fields_[i];
      ++kept;
    }
    count_ = kept;
  }

 private:
  // Most questions are about names that are not there: one bit by length and first letter answers them.
  static unsigned mark_of(std::string_view name) {
    return static_cast<unsigned>(name.size() * 5 + (name.empty() ? 0u : static_cast<unsigned>(name.front()) | 0x20u)) &
           63u;
  }
  std::array<Field, kRoom> fields_;
  std::size_t count_ = 0;
  std::uint64_t names_ = 0;  ///< the marks of all that was added
};

/// What a head says about its body before RFC 9112 6.3 is applied (body.h).
struct Framing {
  bool chunked = false;                      ///< Transfer-Encoding: chunked
  std::optional<std::uint64_t> length = {};  ///< Content-Length
};

struct HeadLimits {
  std::size_t bytes = 64u << 10;  ///< of the whole head
  std::size_t target = 16u << 10;
  std::size_t fields = Fields::kMost;
};

enum class Form { origin, absolute, authority, asterisk };

/// A request head; views into the parsed buffer, valid while that lives unmoved.
struct RequestHead {
  std::string_view method{};
  std::string_view target{};  ///< as sent
  Form form = Form::origin;
  std::string_view authority{};  ///< host[:port] of the target, else the Host field; may be empty
  std::string_view path{};       ///< of origin and absolute form, "/" when the latter has none; "" else
  std::string_view query{};      ///< after '?', without it
  int minor = 1;                 ///< of HTTP/1.x: 0 or 1
  bool keep_alive = true;        ///< RFC 9112 9.3
  bool expect_continue = false;
  std::string_view upgrade{};  ///< the Upgrade field where Connection names it (RFC 9110 7.8), else ""
  Framing framing{};
  Fields fields{};
};

struct ResponseHead {
  int status = 0;
  std::string_view reason{};
  int minor = 1;
  bool keep_alive = true;
  std::string_view upgrade{};
  Framing framing{};
  Fields fields{};
};

/// Result of a parse. A head that ended yields `complete`; `refused` names the status to answer and why, for the log
/// and the error page (a constant text).
struct Parsed {
  enum class State { need_more, complete, refused };
  State state = State::need_more;
  std::size_t consumed = 0;  ///< bytes of the head with its empty line, when complete
  int status = 0;            ///< when refused: 400, 414, 431, 501, 505
  std::string_view reason{};
};

/// Who reads it: a server (or proxy) refuses an HTTP/1.1 request without exactly one Host (RFC 9112 3.2).
enum class HostRule { required, optional };

/// Parses the head at the front of `buffer`. `head` is meaningful when complete. One empty line before a request line
/// is skipped (RFC 9112 2.2). Bare CR and LF, a method that is none and a broken field line are refused before the head
/// is complete. Parsing anew is worth it only once another
/// '\n' came, which bounds the work for a head that trickles in.
Parsed parse_request(std::string_view buffer, RequestHead& head, const HeadLimits& limits = {},
                     HostRule host = HostRule::required);
Parsed parse_response(std::string_view buffer, ResponseHead& head, const HeadLimits& limits = {});

/// RFC 9110 5.6.2.
bool is_token(std::string_view text);
/// RFC 9110 5.5: no control bytes but the tab, no white space at the ends.
bool is_field_value(std::string_view text);
/// host[:port] as a Host field may say it (IPv6 in brackets).
bool is_authority(std::string_view text);

/// The standard phrase, "" when unknown.
std::string_view reason_of(int status);

// Writers append to `out`. REQUIRES: arguments that is_token, is_field_value or the parser accepted.
void append_request_line(std::string& out, std::string_view method, std::string_view target);
void append_status_line(std::string& out, int status, std::string_view reason);
void append_field(std::string& out, std::string_view name, std::string_view value);
/// The whole head with its empty line.
void append_head(std::string& out, const RequestHead& head);
void append_head(std::string& out, const ResponseHead& head);

}  // namespace berth::http
