// `berth cert list` and `berth cert renew`: what berth serve keeps in its data folder, and wishes to it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace berth::app {

/// Prints the certificates of CAs and of the local CA as a table or as JSON. Code::denied for a folder of another user.
Result<void> list_certificates(const std::string& data, bool json);

/// The same as data: `id`, `hosts`, `resolver`, `issuer`, `error`, `not_before`, `not_after`, `renewal`, `next_try`.
Result<Json> certificates_json(const std::string& data);
/// Leaves berth serve the wish to order the host's certificate now, good or not. Code::not_found as below.
Result<void> wish_certificate(const std::string& data, const std::string& host);

/// Asks berth serve to order these hosts' certificates (all without one) now: those that failed or are due, with
/// `force` also good ones; then waits for each, at most two minutes, and tells. Code::not_found for a host that has
/// none of a CA; the last failure of an order otherwise.
Result<void> renew_certificates(const std::string& data, const std::vector<std::string>& hosts, bool force);

}  // namespace berth::app
