// Whose files are: what root makes or made for a process that runs as another account.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace berth::io {

/// Whether an account has this name.
bool has_account(const std::string& name);

/// The name of the account that this process runs as, or its number.
std::string own_account();

/// The account that a file belongs to, by name or number. Code::not_found.
Result<std::string> owner_of(const std::string& path);

/// As root: `folder`, where it is root's, becomes the account's. Whether it was root's before. Without root, nothing.
/// Code::not_found for no such account.
Result<bool> give_folder(const std::string& folder, const std::string& account);

/// As root: whether the account can open the folder; groups other than its own do not count. Code::denied, not_found.
Result<void> may_open_folder(const std::string& folder, const std::string& account);

/// As root: what is root's below a folder of another account becomes that account's too; names in `except`, directly in
/// the folder, stay. No link is followed, no other file system entered, and a file with several names is left, which
/// could be another one's. Without root, or in root's own folder, nothing happens.
Result<void> settle_folder(const std::string& folder, const std::vector<std::string>& except = {});

/// The same of one file or socket, by the owner of its folder.
Result<void> settle_file(const std::string& path);

/// An absolute path with its links followed, as far as they lie where nobody but root and this account could have put
/// them. Nothing where a link is another's, or cannot be looked at. What does not exist is taken as written.
std::optional<std::string> settled_path(const std::string& path);

/// As root: every account may pass the folder, without seeing what is in it.
Result<void> let_pass(const std::string& folder);

}  // namespace berth::io
