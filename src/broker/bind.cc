#include "broker/bind.h"

#include <algorithm>

#include "base/text.h"
#include "broker/operation.h"

namespace berth::broker {
namespace {

constexpr std::string_view kOptions[] = {"ro",         "rw",     "z",         "Z",       "nocopy",
                                         "consistent", "cached", "delegated", "default", "private",
                                         "rprivate",   "slave",  "rslave",    "shared",  "rshared"};

bool known_options(std::string_view options) {
  const auto parts = split(options, ',');
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    return std::find(std::begin(kOptions), std::end(kOptions), part) != std::end(kOptions);
  });
}

}  // namespace

std::optional<std::string> canonical_path(std::string_view text) {
  if (text.empty() || text.front() != '/' || text.size() > 4096) return std::nullopt;
  if (text.size() > 1 && text.back() == '/') text.remove_suffix(1);
  if (text == "/") return std::string(text);
  for (const std::string_view part : split(text.substr(1), '/'))
    if (part.empty() || part == "." || part == "..") return std::nullopt;
  const auto printable = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; };
  if (!std::all_of(text.begin(), text.end(), printable)) return std::nullopt;
  return std::string(text);
}

bool is_beneath(std::string_view path, std::string_view root) {
  if (root == "/") return true;
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

bool shows_hidden(std::string_view path, const std::vector<std::string>& hidden) {
  return std::any_of(hidden.begin(), hidden.end(),
                     [&](const std::string& each) { return is_beneath(each, path) || is_beneath(path, each); });
}

const std::vector<std::string>& always_hidden() {
  static const std::vector<std::string> paths{"/proc",
                                              "/sys",
                                              "/dev",
                                              "/boot",
                                              "/run/docker.sock",
                                              "/var/run",
                                              "/run/docker",
                                              "/run/containerd",
                                              "/run/podman",
                                              "/run/crio",
                                              "/var/lib/docker",
                                              "/var/lib/containerd",
                                              "/etc/berth",
                                              "/etc/docker",
                                              "/run/berth"};
  return paths;
}

std::string Bind::text() const {
  return (source.empty() ? "" : source + ":") + target + (options.empty() ? "" : ":" + options);
}

std::optional<Bind> parse_bind(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() > 3) return std::nullopt;
  Bind bind;
  auto target = canonical_path(parts.size() == 1 ? parts[0] : parts[1]);
  if (!target || *target == "/") return std::nullopt;
  bind.target = *std::move(target);
  if (parts.size() == 1) return bind;
  if (parts.size() == 3 && !known_options(parts[2])) return std::nullopt;
  if (parts.size() == 3) bind.options = parts[2];
  bind.is_path = !is_name(parts[0]);
  if (!bind.is_path) {
    bind.source = parts[0];
    return bind;
  }
  auto source = canonical_path(parts[0]);
  if (!source) return std::nullopt;
  bind.source = *std::move(source);
  return bind;
}

bool propagates(std::string_view options) {
  const auto parts = split(options, ',');
  return std::any_of(parts.begin(), parts.end(),
                     [](std::string_view part) { return part == "shared" || part == "rshared"; });
}

}  // namespace berth::broker
