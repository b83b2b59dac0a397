// The short forms of ports and volumes, one text each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::compose {

struct Port {
  std::string host_ip;    ///< "" means every address
  std::string published;  ///< "8080", "8000-8010" (the engine picks one), "" (any free one)
  std::uint16_t target = 0;
  std::string protocol = "tcp";
};

/// [[IP:][PUBLISHED]:]TARGET[/PROTOCOL]; a range of targets gives one port each, ordered by target as text.
/// Code::invalid otherwise.
Result<std::vector<Port>> parse_ports(std::string_view text);

struct VolumeMount {
  bool bind = false;   ///< the source is a path: begins with . / ~ or is a Windows path
  std::string source;  ///< "" for an anonymous volume
  std::string target;
  bool read_only = false;
  bool nocopy = false;
  bool options = false;  ///< not the shortest form: the long form has a bind or volume mapping
  std::string propagation;
  std::string selinux;  ///< z or Z
};

/// [SOURCE:]TARGET[:OPTION,...]; unknown options are ignored. A single letter before a colon is a Windows drive.
/// Code::invalid otherwise.
Result<VolumeMount> parse_volume(std::string_view text);

/// An IPv4 or IPv6 address, without brackets or zone.
bool is_ip(std::string_view text);

/// A path without "." and "..", doubled and trailing slashes; "." when nothing is left.
std::string clean_path(std::string_view path);
/// `path` itself when it is absolute, else below `folder`; clean.
std::string join_path(std::string_view folder, std::string_view path);
/// The path of the folder that holds it.
std::string parent_path(std::string_view path);
/// The last part of a path.
std::string_view base_name(std::string_view path);
/// Seen from `folder`, both absolute and clean: "../x", "x/y", ".".
std::string relative_path(std::string_view folder, std::string_view path);
/// "C:\x", "\\host\share": absolute on Windows.
bool is_windows_absolute(std::string_view path);

}  // namespace berth::compose
