#include "compose/git_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace berth::compose {
namespace {

constexpr std::size_t kLongest = 2048;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Letters, digits and `others`, and nothing that a program could take for an option.
bool is_word(std::string_view text, std::string_view others) {
  const auto allowed = [&](char c) { return is_letter_or_digit(c) || others.contains(c); };
  return !text.empty() && text[0] != '-' && std::ranges::all_of(text, allowed);
}

bool is_commit(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) return is_word(host.substr(1, host.size() - 2), ":.");
  return is_word(host, ".-");
}

// "user@host:port" in its parts.
struct Authority {
  std::string_view user, host, port;
};
Authority divide(std::string_view text) {
  Authority out;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    out.user = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  const auto colon = text.rfind(':');
  const bool port = colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
  out.host = port ? text.substr(0, colon) : text;
  if (port) out.port = text.substr(colon + 1);
  return out;
}

// Why `text` cannot stand between "//" and "/"; "" when it can.
std::string_view fault_of_authority(std::string_view text) {
  const Authority parts = divide(text);
  if (parts.user.contains(':')) return "a password does not belong in a URL; let git's credential helper give it";
  if (text.contains('@') && !is_word(parts.user, "._-+")) return "its user is no plain name";
  if (!is_host(parts.host)) return "its host is no plain name or address";
  if (parts.port.find_first_not_of("0123456789") != std::string_view::npos) return "its port is no number";
  return {};
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

std::string_view fault_of_path(std::string_view path) {
  if (path.starts_with('/') || path.starts_with('-')) return "the path in the repository must be relative";
  const auto parts = split(path, '/');
  if (std::ranges::find(parts, "..") != parts.end()) return "the path leaves the repository";
  return {};
}

std::string_view fault_of_ref(std::string_view ref) {
  if (!is_word(ref, "._/+-@") || ref.contains("..")) return "its ref is no name of a branch, tag or commit";
  return {};
}

// The last part of the URL's path, where it can be the name of a folder.
std::string name_of(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with(".git")) path.remove_suffix(4);
  const auto name = path.substr(path.find_last_of("/:") + 1);
  return is_word(name, "._-") && name[0] != '.' ? std::string(name) : "repository";
}

// Reads the URL itself; a reason why not, or "".
std::string_view read_url(std::string_view url, GitReference& out) {
  std::string_view rest, authority;
  if (url.starts_with("git@")) {
    out.scheme = "ssh";
    authority = url.substr(0, url.find(':'));
    rest = url.substr(authority.size());
    if (rest.size() < 2 || rest[1] == '-') return "write it as git@HOST:PATH";
  } else {
    const auto colon = url.find("://");
    const bool found = colon != std::string_view::npos;
    const auto after = found ? url.substr(colon + 3) : std::string_view();
    out.scheme = url.substr(0, found ? colon : 0);
    constexpr std::array<std::string_view, 4> kSchemes = {"https", "ssh", "http", "git"};
    if (!found || std::ranges::find(kSchemes, out.scheme) == kSchemes.end()) return "an https or ssh URL is needed";
    authority = after.substr(0, after.find('/'));
    rest = after.substr(authority.size());
    if (rest.size() < 2) return "it has no path";
  }
  if (const auto fault = fault_of_authority(authority); !fault.empty()) return fault;
  out.url = url;
  out.name = name_of(rest);
  const bool plain = out.scheme == "http" || out.scheme == "git";
  if (plain && !out.is_pinned() && !is_loopback(divide(authority).host))
    return "what comes over http or git can be changed on its way; use https or ssh, or name a whole commit";
  return {};
}

// Of every call: no program that the repository or the machine's other users name, nothing but the commit.
std::vector<std::string> git_with(std::vector<std::string> words) {
  std::vector<std::string> out{"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false",
                               "-c", "protocol.version=2",       "-c", "advice.detachedHead=false"};
  std::ranges::move(words, std::back_inserter(out));
  return out;
}

}  // namespace

bool GitReference::is_pinned() const {
  return is_commit(ref);
}

std::string shown_url(std::string_view text) {
  std::string out(text.substr(0, 200));
  std::erase_if(out, [](char c) { return c < ' ' || c == 0x7f; });
  const auto begin = out.find("://"), end = out.rfind('@');
  if (begin == std::string::npos || end == std::string::npos) return out;
  const auto colon = out.find(':', begin + 3);
  return colon < end ? out.substr(0, colon) + ":***" + out.substr(end) : out;
}

Result<GitReference> parse_git_reference(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(Code::invalid, fmt::format("{} names no Compose file of a git repository: {}", shown_url(text), why));
  };
  if (text.starts_with("oci://")) return refuse("image registries are not read; use a git repository or a local copy");
  const auto unfit = [](char c) { return c <= ' ' || c >= 0x7f || c == '\\' || c == '%' || c == '?'; };
  if (text.size() > kLongest || std::ranges::any_of(text, unfit))
    return refuse("blanks, %, ? and special characters do not belong in it");
  const auto [url, place, has_place] = cut(text, '#');
  const auto [ref, path, has_path] = cut(place, ':');
  GitReference out{.path = std::string(path)};
  if (!ref.empty()) out.ref = ref;
  for (const auto fault : {fault_of_ref(out.ref), fault_of_path(path), read_url(url, out)})
    if (!fault.empty()) return refuse(fault);
  return out;
}

std::vector<std::string> list_arguments(const GitReference& reference) {
  const std::string& ref = reference.ref;
  if (ref == "HEAD") return git_with({"ls-remote", "--", reference.url, "HEAD"});
  return git_with(
      {"ls-remote", "--", reference.url, ref, "refs/heads/" + ref, "refs/tags/" + ref, "refs/tags/" + ref + "^{}"});
}

Result<std::string> choose_commit(const GitReference& reference, std::string_view listed) {
  const std::string& ref = reference.ref;
  // A tag that is an object of its own is followed by the commit that it names.
  for (const std::string& wanted : {ref, "refs/heads/" + ref, "refs/tags/" + ref + "^{}", "refs/tags/" + ref})
    for (const auto line : split(listed, '\n')) {
      const auto [hash, name, found] = cut(line, '\t');
      if (found && name == wanted && is_commit(hash)) return std::string(hash);
    }
  return fail(Code::not_found, fmt::format("there is no branch or tag \"{}\"", ref));
}

std::vector<std::vector<std::string>> fetch_arguments(const GitReference& reference, const std::string& commit,
                                                      const std::string& store, const std::string& files) {
  const std::string folder = "--git-dir=" + store;
  return {git_with({"init", "-q", "--bare", "--template=", "--", store}),
          git_with({folder, "fetch", "-q", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", reference.url,
                    commit}),
          git_with({folder, "--work-tree=" + files, "checkout", "-q", "-f", "--detach", commit})};
}

std::string failure_text(std::string_view printed) {
  std::string_view line;
  for (const auto one : split(trim(printed), '\n'))
    if (line.empty() || !line.starts_with("fatal:")) line = trim(one);
  std::string out(line.substr(0, 300));
  std::erase_if(out, [](char c) { return c < ' ' || c == 0x7f; });
  return out.empty() ? "git failed and gave no reason" : out;
}

}  // namespace berth::compose
