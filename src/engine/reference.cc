#include "engine/reference.h"

#include <algorithm>

#include "base/text.h"

namespace berth::engine {
namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kHub = "docker.io";

bool made_of(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return kLower.find(c) != std::string_view::npos || extra.find(c) != std::string_view::npos;
  });
}

bool is_path_part(std::string_view part) {
  const auto alnum = [](char c) { return kLower.find(c) != std::string_view::npos; };
  return !part.empty() && made_of(part, "._-") && alnum(part.front()) && alnum(part.back());
}

bool is_tag(std::string_view tag) {
  const std::string folded = lower(tag);
  return !tag.empty() && tag.size() <= 128 && made_of(folded, "._-") && tag.front() != '.' && tag.front() != '-';
}

bool is_digest(std::string_view digest) {
  const Cut parts = cut(digest, ':');
  const bool hex = std::all_of(parts.after.begin(), parts.after.end(),
                               [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return parts.found && !parts.before.empty() && hex && parts.after.size() >= 32 && parts.after.size() <= 128;
}

bool is_registry(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos || lower(first) != first;
}

// host[:port] of a registry.
bool is_host(std::string_view text) {
  const Cut parts = cut(text, ':');
  const bool port = !parts.found || (!parts.after.empty() && parts.after.size() <= 5 &&
                                     parts.after.find_first_not_of("0123456789") == std::string_view::npos);
  for (const std::string_view label : split(parts.before, '.'))
    if (label.empty() || !made_of(lower(label), "-_") || label.front() == '-' || label.back() == '-') return false;
  return port;
}

}  // namespace

std::string Reference::repository() const {
  if (host != kHub) return host + "/" + path;
  return path.starts_with("library/") ? path.substr(8) : path;
}

std::string Reference::tag_or_digest() const {
  return !digest.empty() ? digest : tag.empty() ? "latest" : tag;
}

std::string Reference::text() const {
  std::string out = repository();
  if (!tag.empty() || digest.empty()) out += ":" + (tag.empty() ? "latest" : tag);
  return digest.empty() ? out : out + "@" + digest;
}

Result<Reference> parse_reference(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(Code::invalid, "image \"" + std::string(text) + "\": " + std::string(why));
  };
  Reference reference{.host = std::string(kHub)};
  const Cut digest = cut(text, '@');
  reference.digest = digest.after;
  if (digest.found && !is_digest(digest.after)) return bad("malformed digest");
  std::string_view name = digest.before;
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    reference.tag = name.substr(colon + 1);
    name = name.substr(0, colon);
    if (!is_tag(reference.tag)) return bad("malformed tag");
  }
  const Cut first = cut(name, '/');
  if (first.found && is_registry(first.before)) {
    if (!is_host(first.before)) return bad("malformed registry host");
    reference.host = first.before == "index.docker.io" ? kHub : first.before;
    name = first.after;
  }
  if (name.empty() || name.size() > 255) return bad("no name, or one of more than 255 characters");
  if (lower(name) != name) return bad("a repository's name is lower case");
  for (const std::string_view part : split(name, '/'))
    if (!is_path_part(part)) return bad("malformed repository name");
  const bool official = reference.host == kHub && name.find('/') == std::string_view::npos;
  reference.path = (official ? "library/" : "") + std::string(name);
  return reference;
}

}  // namespace berth::engine
