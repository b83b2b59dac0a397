// "https://host/shop.git#main:deploy": a Compose file in a git repository, and how git is asked for it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::compose {

/// What of which repository. Absent parts: HEAD, the repository's root.
struct GitReference {
  std::string url{};
  std::string scheme{};  ///< "https", "ssh", "http" or "git"
  std::string name{};    ///< of the repository, as the name of a folder: "shop"
  std::string ref = "HEAD";
  std::string path{};  ///< of a file or folder in it; relative, never upwards

  /// The ref is a commit's whole id: what is fetched cannot be something else, whoever answers.
  bool is_pinned() const;
  friend bool operator==(const GitReference&, const GitReference&) = default;
};
/// Code::invalid, with the reason, for what is no https or ssh URL, holds a password, could be taken for an option or
/// for a program, or leaves the repository. http and git URLs are taken where nobody can change what comes: from this
/// machine, or with a whole commit as ref.
Result<GitReference> parse_git_reference(std::string_view text);

/// `text` for messages: short, without a password and control characters.
std::string shown_url(std::string_view text);

/// The arguments of git, without its name, that list what `reference` may be.
std::vector<std::string> list_arguments(const GitReference& reference);
/// The commit among what `git ls-remote` printed: a branch before a tag of that name. Code::not_found when there is
/// none.
Result<std::string> choose_commit(const GitReference& reference, std::string_view listed);
/// The arguments of the calls of git that put the files of `commit` into `files`, an empty folder; `store` is a folder
/// that git makes and needs until then.
std::vector<std::vector<std::string>> fetch_arguments(const GitReference& reference, const std::string& commit,
                                                      const std::string& store, const std::string& files);
/// What git printed about a failure in one short line without control characters, which a server may have sent.
std::string failure_text(std::string_view printed);

}  // namespace berth::compose
