#include "engine/address.h"

#include <charconv>

#include "base/hash.h"
#include "base/json.h"

namespace berth::engine {
namespace {

constexpr int kTcpPort = 2375;
constexpr int kSshPort = 22;
constexpr std::string_view kForms = "unix:///path/of.sock, tcp://host:port or ssh://user@host";

auto refuse(std::string_view text, std::string_view why) {
  return fail(Code::invalid, "engine address \"" + std::string(text) + "\": " + std::string(why) + "; berth reads " +
                                 std::string(kForms));
}

Result<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    return fail(Code::invalid, "bad port");
  return port;
}

bool is_host(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:") ==
             std::string_view::npos &&
         text.front() != '-';
}

bool is_user(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._+") ==
             std::string_view::npos &&
         text.front() != '-';
}

// "host", "host:port", "[::1]:port" into `address`; false when malformed.
bool parse_host(std::string_view text, Address& address) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  address.host = host;
  if (port.empty()) return is_host(host);
  const auto number = port.starts_with(':') ? parse_port(port.substr(1)) : Result<int>(fail(Code::invalid, ""));
  if (!number) return false;
  address.port = *number;
  return is_host(host);
}

Result<Address> parse_ssh(std::string_view text, std::string_view rest) {
  Address address{.kind = Address::Kind::ssh, .port = kSshPort};
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    address.user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    if (!is_user(address.user))
      // Without the text: it may hold a password.
      return fail(Code::invalid, "engine address ssh://...: bad user; a password belongs in the ssh agent or a key");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('/') != std::string_view::npos) return refuse(text, "a path after the host");
  if (!parse_host(rest, address)) return refuse(text, "bad host or port");
  return address;
}

bool is_loopback(std::string_view host) {
  const bool number = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "::1" || (number && host.starts_with("127."));
}

Result<Json> parse_file(std::string_view what, std::string_view text) {
  auto json = parse_json(text);
  if (!json) return fail(std::move(json.error()).within(what));
  if (!json->is_object()) return fail(Code::invalid, std::string(what) + ": not a JSON object");
  return json;
}

}  // namespace

std::string Address::text() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  switch (kind) {
    case Kind::unix_socket:
      return "unix://" + path;
    case Kind::tcp:
      return "tcp://" + shown + ":" + std::to_string(port);
    case Kind::ssh:
      return "ssh://" + (user.empty() ? "" : user + "@") + shown + (port == kSshPort ? "" : ":" + std::to_string(port));
  }
  return {};
}

Result<Address> parse_address(std::string_view text) {
  if (text.starts_with('/')) return Address{.path = std::string(text)};
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return refuse(text, "no scheme");
  const std::string_view scheme = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 3);
  if (scheme == "unix") {
    if (!rest.starts_with('/')) return refuse(text, "the socket's path is not absolute");
    return Address{.path = std::string(rest)};
  }
  if (scheme == "tcp") {
    if (rest.ends_with('/')) rest.remove_suffix(1);
    Address address{.kind = Address::Kind::tcp, .port = kTcpPort};
    if (!parse_host(rest, address)) return refuse(text, "bad host or port");
    return address;
  }
  if (scheme == "ssh") return parse_ssh(text, rest);
  return refuse(text, "scheme " + std::string(scheme) + " is not read");
}

Result<void> check_reachable(const Address& address, bool tls) {
  if (address.kind != Address::Kind::tcp || tls || is_loopback(address.host)) return {};
  return fail(Code::denied, address.text() +
                                ": plain TCP would let everybody on the way do what root can; use TLS "
                                "(DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH with ca.pem, cert.pem and key.pem) or "
                                "ssh://user@host");
}

Result<Chosen> choose_address(const AddressChoice& choice) {
  if (!choice.host_flag.empty() && !choice.context_flag.empty())
    return fail(Code::invalid, "--host and --context are both given; use one of them");
  if (!choice.host_flag.empty()) return Chosen{.address = choice.host_flag};
  std::string context = choice.context_flag;
  if (context.empty() && !choice.docker_host.empty()) return Chosen{.address = choice.docker_host};
  if (context.empty()) context = choice.docker_context;
  if (context.empty() && !choice.config.empty())
    context = TRY(parse_file("~/.docker/config.json", choice.config))["currentContext"].text();
  if (!context.empty() && context != "default") return Chosen{.context = context};
  return Chosen{.address = choice.docker_host.empty() ? std::string(kDefaultAddress) : choice.docker_host};
}

std::string context_meta_path(std::string_view context) {
  return "contexts/meta/" + sha256_hex(context) + "/meta.json";
}

std::string context_tls_path(std::string_view context) {
  return "contexts/tls/" + sha256_hex(context) + "/docker";
}

Result<std::string> parse_context_meta(std::string_view context, std::string_view meta) {
  const std::string what = "docker context \"" + std::string(context) + "\"";
  const Json json = TRY(parse_file(what, meta));
  const std::string_view host = json["Endpoints"]["docker"]["Host"].text();
  if (json["Name"].text() != context) return fail(Code::invalid, what + ": its file is of another context");
  if (host.empty()) return fail(Code::invalid, what + ": has no docker endpoint");
  return std::string(host);
}

}  // namespace berth::engine
