// Which certificates are wanted of which CA, and when the next try is due. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/acme_jws.h"
#include "edge/acme_key.h"
#include "edge/acme_message.h"
#include "edge/route.h"

namespace berth::edge {

inline constexpr std::string_view kDefaultCa = "https://acme-v02.api.letsencrypt.org/directory";

/// How TXT records come to be for DNS-01: by one of both.
struct DnsSettings {
  std::string hook{};        ///< program, called as `hook present|cleanup NAME VALUE`
  std::string nameserver{};  ///< host or host:port for dynamic updates (RFC 2136)
  std::string zone{};        ///< "": asked for
  std::string key_name{}, key_algorithm{"hmac-sha256"};
  std::string key_secret{};       ///< base64, secret
  std::chrono::seconds delay{2};  ///< between the record and the CA's look at it
  friend bool operator==(const DnsSettings&, const DnsSettings&) = default;
};

/// A certificate resolver: one CA with an account, and how to prove control.
struct Resolver {
  std::string name;  ///< as labels say it
  std::string directory{kDefaultCa};
  std::string email{};
  std::string ca_pem{};  ///< roots for the CA's own TLS; "": the system's
  AccountBinding binding{};
  KeyType key_type = KeyType::ec256;
  ChallengeType challenge = ChallengeType::tls;
  DnsSettings dns{};
  std::string fallback{};  ///< resolver that is asked when this one fails; "": none
  friend bool operator==(const Resolver&, const Resolver&) = default;
};

/// One certificate that routes ask for.
struct WantedCertificate {
  std::vector<std::string> hosts;  ///< names and "*.parent", the first gives it its name
  std::string resolver;
  friend bool operator==(const WantedCertificate&, const WantedCertificate&) = default;
};
/// A short name for files and messages: the first host and what tells apart other lists of hosts and resolvers.
std::string id_of(const WantedCertificate& wanted);

/// What the routes on websecure with a resolver among `resolvers` need: `tls.domains`, else one for each host of the
/// rule. Left out: what another one of the list covers, IP addresses and localhost; other names that only a private CA
/// can sign for, where the resolver has the default CA.
std::vector<WantedCertificate> wanted_certificates(const std::vector<Route>& routes,
                                                   const std::vector<Resolver>& resolvers);
/// The resolver of the route that wants `host`, for hosts that no rule names (HostRegexp); "": none.
std::string resolver_for(const Routes& routes, std::string_view host);

/// "*.example.com" covers "a.example.com".
bool covers(std::string_view pattern, std::string_view host);

/// `name` and those after it by `fallback`, each once.
std::vector<const Resolver*> chain_of(const std::vector<Resolver>& resolvers, std::string_view name);

/// After the n-th failure in a row: a minute, 5, 30, then 2, 6, 12 hours.
std::chrono::seconds backoff(int failures);

/// A number in [0, 1) that depends on `text` alone: spreads what would happen everywhere at once.
double spread(std::string_view text);

/// When to renew: within the CA's window where there is one, else at two thirds of the life, a little earlier by
/// `jitter` in [0, 1).
std::chrono::sys_seconds renewal_time(std::chrono::sys_seconds not_before, std::chrono::sys_seconds not_after,
                                      const std::optional<RenewalWindow>& window, double jitter);

}  // namespace berth::edge
