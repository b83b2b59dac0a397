#include "http/url.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/base64.h"
#include "http/head.h"
#include "http/text.h"

namespace berth::http {

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (in_class(c, kUnreserved)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const bool whole = i + 2 < text.size() && in_class(text[i + 1], kHexByte) && in_class(text[i + 2], kHexByte);
    if (!whole) return fail(Code::invalid, "'%' without two hexadecimal digits at offset " + std::to_string(i));
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

std::string encode_query(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out.append(percent_encode(name)).append("=").append(percent_encode(value));
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto decode = [](std::string_view part) {
    std::string text(part);
    for (char& c : text)
      if (c == '+') c = ' ';
    return percent_decode(text);
  };
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (part.empty()) continue;
    const std::size_t equal = part.find('=');
    std::string name = TRY(decode(part.substr(0, equal)));
    std::string value = equal == std::string_view::npos ? std::string() : TRY(decode(part.substr(equal + 1)));
    pairs.emplace_back(std::move(name), std::move(value));
  }
  return pairs;
}

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const bool usual = (scheme == "http" && port == 80) || (scheme == "https" && port == 443);
  return usual ? out : out + ":" + std::to_string(port);
}

std::string Url::target() const {
  return query.empty() ? path : path + "?" + query;
}

namespace {

auto bad_url(std::string_view text, std::string_view why) {
  return fail(Code::invalid, "not a URL that berth reads: \"" + std::string(text) + "\": " + std::string(why));
}

// host[:port] into `url`. REQUIRES: is_authority(text), the scheme is set.
void split_authority(std::string_view text, Url& url) {
  const std::size_t bracket = text.find(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  for (const char c : text.substr(0, colon))
    if (c != '[' && c != ']') url.host += lower_ascii(c);
  url.port = url.scheme == "https" ? 443 : 80;
  if (colon == std::string_view::npos || colon + 1 == text.size()) return;
  unsigned value = 0;
  for (const char c : text.substr(colon + 1)) value = value * 10 + static_cast<unsigned>(c - '0');
  url.port = static_cast<std::uint16_t>(value);
}

bool is_visible(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) return false;
  return true;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (!is_visible(text)) return fail(Code::invalid, "white space or a control byte in a URL");
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return bad_url(text, "no scheme");
  Url url;
  for (const char c : text.substr(0, colon)) url.scheme += lower_ascii(c);
  if (url.scheme != "http" && url.scheme != "https") return bad_url(text, "the scheme is neither http nor https");
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  rest.remove_prefix(end);
  // Without the text: user info is often a password.
  if (authority.find('@') != std::string_view::npos) return fail(Code::invalid, "user info in a URL is not read");
  if (!is_authority(authority)) return bad_url(text, "malformed host or port");
  split_authority(authority, url);
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  url.path = mark == 0 ? "/" : rest.substr(0, mark);
  url.query = rest.substr(std::min(mark + 1, rest.size()));
  return url;
}

std::string websocket_accept(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  return encode_base64({reinterpret_cast<const char*>(digest), size});
}

}  // namespace berth::http
