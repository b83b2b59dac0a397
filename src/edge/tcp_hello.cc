#include "edge/tcp_hello.h"

#include <optional>

#include "base/text.h"

namespace berth::edge {
namespace {

using State = ClientGreeting::State;

constexpr std::uint8_t kHandshake = 22, kClientHello = 1, kHostName = 0;
constexpr std::size_t kServerName = 0, kAlpn = 16;
constexpr std::size_t kRecordHead = 5, kMostRecord = 16u << 10;

/// Takes numbers and vectors from the front; nothing when there are too few bytes.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::optional<std::string_view> take(std::size_t size) {
    if (bytes_.size() < size) return std::nullopt;
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  /// Big endian, `width` bytes.
  std::optional<std::size_t> number(std::size_t width) {
    const auto bytes = take(width);
    if (!bytes) return std::nullopt;
    std::size_t value = 0;
    for (const char c : *bytes) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
  }
  /// Bytes behind their count.
  std::optional<std::string_view> vector(std::size_t width) {
    const auto size = number(width);
    return size ? take(*size) : std::nullopt;
  }

 private:
  std::string_view bytes_;
};

/// The handshake bytes of one record, appended; need_more when it is not all there.
State take_record(Input& input, std::string& message) {
  const auto head = input.take(kRecordHead);
  if (!head) return State::need_more;
  Input fields(*head);
  const auto type = fields.number(1), major = fields.number(1), minor = fields.number(1), size = fields.number(2);
  if (type != kHandshake || major != 3 || *minor > 4 || *size == 0 || *size > kMostRecord) return State::broken;
  const auto part = input.take(*size);
  if (!part) return State::need_more;
  message += *part;
  return State::tls;
}

/// The handshake message's body out of its records; `state` says what is missing.
std::string hello_of(std::string_view bytes, State& state) {
  Input input(bytes);
  std::string message;
  while (message.size() < 4) {
    state = take_record(input, message);
    if (state != State::tls) return {};
  }
  const std::size_t wanted = 4 + *Input(std::string_view(message).substr(1)).number(3);
  const bool is_hello = static_cast<std::uint8_t>(message[0]) == kClientHello && wanted <= kMostGreeting;
  state = is_hello ? State::tls : State::broken;
  while (state == State::tls && message.size() < wanted) state = take_record(input, message);
  if (state == State::tls && message.size() > wanted) state = State::broken;
  return state == State::tls ? message.substr(4) : std::string();
}

/// One host name in a list that may hold others.
bool read_server_name(std::string_view extension, ClientGreeting& out) {
  Input outer(extension);
  const auto list = outer.vector(2);
  if (!list || !outer.empty()) return false;
  Input names(*list);
  while (!names.empty()) {
    const auto type = names.number(1);
    const auto name = names.vector(2);
    if (!type || !name || name->empty() || name->contains('\0')) return false;
    if (*type != kHostName) continue;
    if (!out.server_name.empty()) return false;
    out.server_name = lower(name->ends_with('.') ? name->substr(0, name->size() - 1) : *name);
  }
  return true;
}

bool read_alpn(std::string_view extension, ClientGreeting& out) {
  Input outer(extension);
  const auto list = outer.vector(2);
  if (!list || !outer.empty()) return false;
  Input protocols(*list);
  while (!protocols.empty()) {
    const auto protocol = protocols.vector(1);
    if (!protocol || protocol->empty()) return false;
  }
  out.alpn = *list;
  return true;
}

bool read_extensions(std::string_view all, ClientGreeting& out) {
  Input extensions(all);
  bool named = false, offered = false;
  while (!extensions.empty()) {
    const auto type = extensions.number(2);
    const auto body = extensions.vector(2);
    if (!type || !body) return false;
    if (*type == kServerName && (std::exchange(named, true) || !read_server_name(*body, out))) return false;
    if (*type == kAlpn && (std::exchange(offered, true) || !read_alpn(*body, out))) return false;
  }
  return true;
}

bool read_hello(std::string_view body, ClientGreeting& out) {
  Input input(body);
  const bool head = input.take(2 + 32) && input.vector(1) && input.vector(2) && input.vector(1);
  if (!head) return false;
  if (input.empty()) return true;  // TLS 1.2 without extensions
  const auto extensions = input.vector(2);
  return extensions && input.empty() && read_extensions(*extensions, out);
}

}  // namespace

bool ClientGreeting::acme() const {
  return alpn ==
         "\x0a"
         "acme-tls/1";
}

ClientGreeting parse_greeting(std::string_view bytes) {
  ClientGreeting out;
  // Anything may begin like the first of these bytes; six of them decide.
  static constexpr std::string_view kBegin = "\x16\x03";
  if (!bytes.empty() && bytes[0] != kBegin[0]) out.state = State::not_tls;
  if (bytes.size() > 1 && bytes[1] != kBegin[1]) out.state = State::not_tls;
  if (bytes.size() > kRecordHead && static_cast<std::uint8_t>(bytes[kRecordHead]) != kClientHello)
    out.state = State::not_tls;
  if (out.state == State::not_tls || bytes.size() <= kRecordHead) return out;
  const std::string body = hello_of(bytes, out.state);
  if (out.state == State::need_more && bytes.size() >= kMostGreeting) out.state = State::broken;
  if (out.state == State::tls && !read_hello(body, out)) out = {.state = State::broken};
  return out;
}

}  // namespace berth::edge
