// Paths of the host in one spelling, and which of them a container may have.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::broker {

/// An absolute path without "//", "." and ".." parts and control bytes; one '/' at its end is dropped. Nothing for any
/// other text: a second spelling is not repaired.
std::optional<std::string> canonical_path(std::string_view text);
/// `path` is `root` or lies below it. REQUIRES: both canonical.
bool is_beneath(std::string_view path, std::string_view root);
/// Whether a bind of `path` would show any of `hidden`: it is one of them, lies above or below one. REQUIRES:
/// canonical.
bool shows_hidden(std::string_view path, const std::vector<std::string>& hidden);
/// What no root can open: the kernel's and engines' own folders and sockets, and the broker's policies.
const std::vector<std::string>& always_hidden();

/// One entry of HostConfig.Binds.
struct Bind {
  std::string source{};  ///< a canonical path, a volume's name, or "" for an anonymous volume
  std::string target{};
  std::string options{};
  bool is_path = false;
  std::string text() const;
};
/// Nothing when it is not SOURCE:TARGET[:OPTIONS] or TARGET of known parts, or an option is unknown.
std::optional<Bind> parse_bind(std::string_view text);
/// Has effects on the host: "shared", "rshared".
bool propagates(std::string_view options);

}  // namespace berth::broker
