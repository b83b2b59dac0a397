#include "compose/short.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace berth::compose {
namespace {

struct PortRange {
  int first = 0;
  int last = 0;
};

std::optional<int> parse_port(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > 65535) return std::nullopt;
  return value;
}

std::optional<PortRange> parse_range(std::string_view text) {
  const Cut ends = cut(text, '-');
  const auto first = parse_port(ends.before);
  const auto last = ends.found ? parse_port(ends.after) : first;
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

bool is_ipv4(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           int value = 0;
           const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
           const bool whole = error == std::errc() && end == part.data() + part.size();
           return whole && part.size() <= 3 && value <= 255 && (part.size() == 1 || part[0] != '0');
         });
}

bool is_group(std::string_view text) {
  return !text.empty() && text.size() <= 4 &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// Groups of `text`, with an IPv4 address at its end as two; nullopt when one is wrong.
std::optional<std::size_t> count_groups(std::string_view text, bool last) {
  if (text.empty()) return 0;
  const auto parts = split(text, ':');
  std::size_t count = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool dotted = last && i + 1 == parts.size() && is_ipv4(parts[i]);
    if (!dotted && !is_group(parts[i])) return std::nullopt;
    count += dotted ? 2 : 1;
  }
  return count;
}

bool is_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return count_groups(text, true) == 8;
  const auto before = count_groups(text.substr(0, gap), false);
  const auto after = count_groups(text.substr(gap + 2), true);
  return before && after && *before + *after <= 7;
}

struct PortParts {
  std::string_view ip;
  std::string_view published;
  std::string_view target;
};

PortParts split_port(std::string_view text) {
  const Cut target = cut_last(text, ':');
  if (!target.found) return {.ip = {}, .published = {}, .target = text};
  const Cut published = cut_last(target.before, ':');
  if (!published.found) return {.ip = {}, .published = target.before, .target = target.after};
  return {.ip = published.before, .published = published.after, .target = target.after};
}

std::string published_text(const std::optional<PortRange>& host, int index, bool single) {
  if (!host) return "";
  if (single && host->first != host->last) return fmt::format("{}-{}", host->first, host->last);
  return std::to_string(host->first + index);
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_file_path(std::string_view source) {
  if (source.empty()) return false;
  if (std::string_view("./~").find(source[0]) != std::string_view::npos || source.starts_with("\\\\")) return true;
  return source.size() > 1 && source[1] == ':' && is_letter(source[0]);
}

// The parts between colons; one behind a drive letter and those inside ${...} do not divide.
std::vector<std::string_view> volume_parts(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t from = 0;
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') ++open;
    if (text[i] == '}' && open > 0) --open;
    const bool drive = i == from + 1 && is_letter(text[from]);
    if (text[i] != ':' || open > 0 || drive) continue;
    parts.push_back(text.substr(from, i - from));
    from = i + 1;
  }
  parts.push_back(text.substr(from));
  return parts;
}

void take_option(std::string_view option, VolumeMount& mount) {
  if (option == "ro" || option == "rw") {
    mount.read_only = option == "ro";
  } else if (option == "nocopy") {
    mount.nocopy = true;
  } else if (option == "z" || option == "Z") {
    mount.selinux = option;
  } else if (option == "private" || option == "rprivate" || option == "shared" || option == "rshared" ||
             option == "slave" || option == "rslave") {
    mount.propagation = option;
  }
}

}  // namespace

bool is_ip(std::string_view text) {
  return text.find(':') == std::string_view::npos ? is_ipv4(text) : is_ipv6(text);
}

Result<std::vector<Port>> parse_ports(std::string_view text) {
  const PortParts parts = split_port(text);
  const Cut target = cut(parts.target, '/');
  const auto refuse = [&](std::string_view why, std::string_view what) {
    return fail(Code::invalid, fmt::format("invalid port \"{}\": {}{}", text, why, what));
  };
  if (target.before.empty()) return refuse("no container port is given", "");
  std::string protocol = lower(cut(target.after, '/').before);
  if (protocol.empty()) protocol = "tcp";
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
    return refuse("the protocol must be tcp, udp or sctp, not ", protocol);
  std::string_view ip = parts.ip;
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  if (!ip.empty() && !is_ip(ip)) return refuse("invalid IP address: ", ip);
  const auto container = parse_range(target.before);
  if (!container) return refuse("invalid containerPort: ", target.before);
  const auto host = parts.published.empty() ? std::nullopt : parse_range(parts.published);
  if (!host && !parts.published.empty()) return refuse("invalid hostPort: ", parts.published);
  const bool single = container->first == container->last;
  if (host && !single && host->last - host->first != container->last - container->first)
    return refuse("the ranges of container and host ports have different lengths", "");
  std::vector<Port> ports;
  for (int port = container->first; port <= container->last; ++port)
    ports.push_back({.host_ip = std::string(ip),
                     .published = published_text(host, port - container->first, single),
                     .target = static_cast<std::uint16_t>(port),
                     .protocol = protocol});
  if (!single) std::ranges::sort(ports, {}, [](const Port& port) { return std::to_string(port.target) + "/"; });
  return ports;
}

Result<VolumeMount> parse_volume(std::string_view text) {
  if (text.empty()) return fail(Code::invalid, "invalid volume: it is empty");
  VolumeMount mount;
  if (text.size() <= 2) {
    mount.target = text;
    return mount;
  }
  const auto refuse = [&](std::string_view why) {
    return fail(Code::invalid, fmt::format("invalid volume \"{}\": {}", text, why));
  };
  const std::vector<std::string_view> parts = volume_parts(text);
  if (std::ranges::find(parts, std::string_view()) != parts.end()) return refuse("empty section between colons");
  if (parts.size() > 3) return refuse("too many colons");
  mount.source = parts.size() > 1 ? parts[0] : std::string_view();
  mount.target = parts.size() > 1 ? parts[1] : parts[0];
  if (parts.size() > 2)
    for (const std::string_view option : split(parts[2], ',')) take_option(option, mount);
  mount.bind = is_file_path(mount.source);
  mount.options = true;
  return mount;
}

std::string clean_path(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> kept;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    const bool up = part == "..";
    if (up && !kept.empty() && kept.back() != "..")
      kept.pop_back();
    else if (!up || !absolute)
      kept.push_back(part);
  }
  std::string out = absolute ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) out.append(i > 0 ? "/" : "").append(kept[i]);
  return out.empty() ? "." : out;
}

std::string join_path(std::string_view folder, std::string_view path) {
  if (path.starts_with('/')) return clean_path(path);
  if (folder.empty()) return clean_path(path);
  return clean_path(fmt::format("{}/{}", folder, path));
}

std::string parent_path(std::string_view path) {
  const Cut parts = cut_last(path, '/');
  if (!parts.found) return ".";
  return clean_path(parts.before.empty() ? "/" : parts.before);
}

std::string_view base_name(std::string_view path) {
  const Cut parts = cut_last(path, '/');
  return parts.found ? parts.after : path;
}

std::string relative_path(std::string_view folder, std::string_view path) {
  if (path == folder) return ".";
  const std::vector<std::string_view> from = folder == "/" ? std::vector<std::string_view>{""} : split(folder, '/');
  const std::vector<std::string_view> to = split(path, '/');
  const auto [a, b] = std::ranges::mismatch(from, to);
  std::vector<std::string> parts(static_cast<std::size_t>(from.end() - a), "..");
  for (auto at = b; at != to.end(); ++at) parts.emplace_back(*at);
  return clean_path(join(parts, "/"));
}

bool is_windows_absolute(std::string_view path) {
  if (path.starts_with("\\\\")) return true;
  return path.size() > 2 && is_letter(path[0]) && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
}

}  // namespace berth::compose
