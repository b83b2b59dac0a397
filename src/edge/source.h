// Whose request it is, as middlewares that count or judge see it. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "edge/forward.h"

namespace berth::edge {

/// What a source is read from.
struct Sender {
  const Hop& hop;
  const http::Fields& fields;
  std::string_view host;             ///< canonical
  const Ip& client;                  ///< client_address()
  const std::vector<Cidr>& trusted;  ///< proxies whose X-Forwarded-For counts
};

/// The address that `strategy` picks; nothing when it names one that the request does not have.
std::optional<Ip> address_by(const IpStrategy& strategy, const Sender& sender);

/// Sixteen bytes that name the source: an address (an IPv6 one by its prefix), or a digest of a text.
Ip source_of(const SourceCriterion& criterion, const Sender& sender);

/// The value of the first cookie `name`; "" when there is none.
std::string_view cookie_of(const http::Fields& fields, std::string_view name);

}  // namespace berth::edge
