// The local certificate authority: constrained roots and the leaf certificates that they sign.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "edge/snapshot.h"

namespace berth::edge {

/// A root certificate with its key. ECDSA P-256; critical name constraints permit `permitted` and their subdomains,
/// and of IP addresses loopback only, so that a stolen key is worth little and trusting it risks little.
struct Authority {
  std::string certificate;             ///< PEM
  std::string key;                     ///< PEM, secret
  std::vector<std::string> permitted;  ///< DNS names, lower case
  std::chrono::sys_seconds not_after{};
};

/// localhost, internal, test, local, lan, home.arpa, example, invalid: names that nobody else can own.
const std::vector<std::string>& reserved_domains();

/// The domain that a root for `host` is constrained to: its registrable parent by a simple rule (the last two labels,
/// three below a short second level such as co.uk). "" when `host` lies in a reserved domain.
std::string parent_domain(std::string_view host);

/// A new root, valid for 10 years. `name` is shown by browsers. Code::invalid for an empty or wrong list.
Result<Authority> make_authority(std::string_view name, std::vector<std::string> permitted,
                                 std::chrono::sys_seconds now);
/// Reads what `make_authority` made. Code::invalid when the parts do not belong together.
Result<Authority> load_authority(std::string_view certificate_pem, std::string_view key_pem);

bool permits(const Authority& authority, std::string_view host);

/// A leaf for `hosts` (names, "*.parent", loopback IP literals), valid for 90 days but never longer than its root.
/// Code::invalid when a host is outside of the root's constraints.
Result<Certificate> issue(const Authority& authority, const std::vector<std::string>& hosts,
                          std::chrono::sys_seconds now);

/// Checks that chain and key belong together and reads hosts and dates from the leaf.
Result<Certificate> load_certificate(std::string chain_pem, std::string key_pem);

/// Whether the leaf's signature is the authority's.
bool is_signed_by(const Certificate& certificate, const Authority& authority);

/// True from two thirds of its life on.
bool is_due(const Certificate& certificate, std::chrono::sys_seconds now);

/// SHA-256 of the first certificate in `pem`, as "AB:CD:...".
Result<std::string> fingerprint(std::string_view pem);

}  // namespace berth::edge
