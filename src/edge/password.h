// Whether a password is the one behind a line of an htpasswd file.
#pragma once

#include <string>
#include <string_view>

namespace berth::edge {

/// `hash` as htpasswd writes it: bcrypt ($2y$), apr1 ($apr1$), SHA-1 ({SHA}), or crypt(3)'s $5$, $6$, $1$ and $y$.
/// False for a form that is not known. Takes up to a second: not for a loop's thread. Any thread.
bool fits_password(std::string_view password, const std::string& hash);

/// In a time that does not tell where they differ.
bool equal_secret(std::string_view a, std::string_view b);

}  // namespace berth::edge
