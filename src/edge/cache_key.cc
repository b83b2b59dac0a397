#include "edge/cache_key.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/text.h"
#include "edge/forward.h"
#include "edge/path.h"
#include "http/text.h"

namespace berth::edge {
namespace {

using http::same_name;

constexpr std::size_t kMostNames = 32;

std::string_view port_of(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.ends_with(']')) return {};
  return authority.substr(colon + 1);
}

bool is_default(std::string_view scheme, std::string_view port) {
  return port.empty() || port == (scheme == "https" ? "443" : "80");
}

void append_origin(std::string& out, std::string_view scheme, std::string_view host, std::string_view port) {
  out.append(scheme).append("://");
  const bool v6 = host.contains(':');
  if (v6) out.push_back('[');
  out.append(host);
  if (v6) out.push_back(']');
  if (!is_default(scheme, port)) out.append(":").append(port);
}

std::string_view origin_of(std::string_view key) {
  const std::size_t host = key.find("://");
  if (host == std::string_view::npos) return {};
  return key.substr(0, key.find('/', host + 3));
}

bool is_listed(std::string_view name) {
  return same_name(name, "accept-encoding") || same_name(name, "accept-language") || same_name(name, "accept-charset");
}

/// The values of all lines of `name`, joined, without white space around commas.
void append_joined(std::string& out, std::string_view name, const http::Fields& request) {
  bool first = true;
  for (const http::Field& field : request) {
    if (!same_name(field.name, name)) continue;
    std::string_view rest = field.value;
    do {
      if (!std::exchange(first, false)) out.push_back(',');
      out.append(http::next_item(rest));
    } while (!rest.empty());
  }
}

/// Brings what stands in `out` behind `from` into lower case and order, without spaces. At most kMostNames items.
void sort_items(std::string& out, std::size_t from) {
  const auto spaces = std::remove_if(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(),
                                     [](char c) { return c == ' ' || c == '\t'; });
  out.erase(spaces, out.end());
  for (char& c : std::span(out).subspan(from)) c = http::lower_ascii(c);
  std::string_view items[kMostNames];
  std::size_t count = 0;
  std::string_view rest = std::string_view(out).substr(from);
  while (!rest.empty() && count < kMostNames) items[count++] = http::next_item(rest);
  if (count < 2 || !rest.empty() || std::is_sorted(items, items + count)) return;
  std::sort(items, items + count);
  std::string sorted;
  for (std::size_t i = 0; i < count; ++i) sorted.append(i == 0 ? "" : ",").append(items[i]);
  out.replace(from, std::string::npos, sorted);
}

/// Thousandths of a qvalue (RFC 9110 12.4.2).
int weight_of(std::string_view item) {
  const std::size_t at = item.find(";");
  std::string_view text = at == std::string_view::npos ? std::string_view() : http::trim_ows(item.substr(at + 1));
  if (!text.starts_with("q=") && !text.starts_with("Q=")) return 1000;
  text.remove_prefix(2);
  int value = 0, scale = 1000;
  for (std::size_t i = 0; i < text.size() && i < 5; ++i) {
    if (i == 1 && text[i] == '.') continue;
    if (text[i] < '0' || text[i] > '9') return 0;
    value += (text[i] - '0') * scale;
    scale /= 10;
  }
  return value;
}

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// The path of a reference without its dot segments, or "" when it is none that the edge would serve.
std::string canonical(std::string_view path) {
  std::string storage;
  const auto result = canonical_path(path, storage);
  return result ? std::string(*result) : std::string();
}

}  // namespace

void append_cache_key(std::string& out, const CacheUrl& url) {
  append_origin(out, url.scheme, url.host, port_of(url.authority));
  out.append(url.path);
  if (url.has_query) out.append("?").append(url.query);
}

std::string cache_key_of(std::string_view url, std::string_view base) {
  url = url.substr(0, url.find('#'));
  std::string out, storage;
  if (url.starts_with("//")) {
    const std::string whole = std::string(base.substr(0, base.find(':') + 1)).append(url);
    return cache_key_of(whole);
  }
  if (const std::size_t mark = url.find("://"); mark != std::string_view::npos && mark < url.find('/')) {
    const std::string scheme = lower(url.substr(0, mark));
    url.remove_prefix(mark + 3);
    const std::size_t end = std::min(url.find_first_of("/?"), url.size());
    const auto host = request_host(url.substr(0, end), storage);
    if ((scheme != "http" && scheme != "https") || !host) return {};
    append_origin(out, scheme, *host, port_of(url.substr(0, end)));
    url.remove_prefix(end);
    if (!url.starts_with('/')) storage = "/" + std::string(url), url = storage;
  } else {
    out = origin_of(base);
    if (out.empty()) return {};
    if (!url.starts_with('/')) {
      const std::string_view path = base.substr(out.size(), base.find('?') - out.size());
      storage = std::string(path.substr(0, path.rfind('/') + 1)).append(url);
      url = storage;
    }
  }
  const std::size_t question = url.find('?');
  const std::string path = canonical(url.substr(0, question));
  if (path.empty()) return {};
  out.append(path);
  if (question != std::string_view::npos) out.append(url.substr(question));
  return out;
}

bool same_origin(std::string_view key, std::string_view other) {
  return origin_of(key) == origin_of(other);
}

std::uint64_t cache_hash(std::string_view key, std::uint64_t seed) {
  std::uint64_t hash = seed ^ 0x9e3779b97f4a7c15ull;
  const std::size_t size = key.size();
  while (key.size() >= 16) {
    std::uint64_t a, b;
    std::memcpy(&a, key.data(), 8);
    std::memcpy(&b, key.data() + 8, 8);
    hash = fold(a ^ 0xa0761d6478bd642full ^ seed, b ^ hash);
    key.remove_prefix(16);
  }
  std::uint64_t rest[2] = {};
  std::memcpy(rest, key.data(), key.size());
  return fold(fold(rest[0] ^ 0xe7037ed1a0b428dbull ^ seed, rest[1] ^ hash), size ^ 0x8ebc6af09c88c6e3ull ^ seed);
}

std::string vary_names(const http::Fields& reply) {
  std::vector<std::string> names;
  for (const http::Field& field : reply) {
    if (!same_name(field.name, "vary")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::string_view item = http::next_item(rest);
      if (item == "*") return "*";
      if (!item.empty()) names.push_back(lower(item));
    }
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names.size() > kMostNames ? "*" : join(names, ",");
}

void append_selecting(std::string& out, std::string_view names, const http::Fields& request) {
  while (!names.empty()) {
    const std::string_view name = http::next_item(names);
    // Absent and empty differ (RFC 9111 4.1).
    if (request.find(name)) {
      out.push_back('=');
      const std::size_t from = out.size();
      append_joined(out, name, request);
      if (is_listed(name)) sort_items(out, from);
    }
    out.push_back('\n');
  }
}

bool prefers_language(std::string_view accept, std::string_view language) {
  std::string_view best;
  int top = 0;
  bool alone = false;
  while (!accept.empty()) {
    const std::string_view item = http::next_item(accept);
    const int weight = weight_of(item);
    if (weight < top || weight == 0) continue;
    alone = weight > top;
    top = weight;
    best = http::trim_ows(item.substr(0, item.find(';')));
  }
  return alone && !language.empty() && same_name(best, language);
}

}  // namespace berth::edge
