#include "edge/certificate_store.h"

#include <algorithm>

#include "base/text.h"
#include "io/file.h"

namespace berth::edge {
namespace {

using Time = std::chrono::sys_seconds;

/// A file name for a host: '*' and ':' are not wanted in one.
std::string file_name(std::string_view host) {
  return replace_all(replace_all(host, "*", "wildcard"), ":", "_");
}

Result<Authority> read_authority(const std::string& base) {
  const std::string certificate = TRY(io::read_file(base + ".pem", 64u << 10));
  const std::string key = TRY(io::read_file(base + ".key", 64u << 10));
  auto authority = load_authority(certificate, key);
  if (authority) return authority;
  return fail(Code::invalid, base + ".pem: " + authority.error().message +
                                 "; restore it with its .key from a backup, or move both away to get a new authority");
}

/// The key first: a certificate without its key would be trusted by clients and be of no use.
Result<void> write_pair(const std::string& base, const std::string& certificate, const std::string& key, int mode) {
  TRY(io::write_file(base + ".key", key, 0600));
  return io::write_file(base + ".pem", certificate, mode);
}

Result<Authority> make_and_write(const std::string& base, const std::string& name, std::vector<std::string> domains,
                                 Time now) {
  auto authority = TRY(make_authority(name, std::move(domains), now));
  TRY(write_pair(base, authority.certificate, authority.key, 0644));
  return authority;
}

}  // namespace

Result<CertificateStore> CertificateStore::open(Options options, Time now) {
  TRY(io::make_folder(options.dir, 0700));
  CertificateStore store;
  store.options_ = std::move(options);
  const std::string base = store.options_.dir + "/root";
  if (io::exists(base + ".pem")) {
    store.authorities_.push_back(TRY(read_authority(base)));
  } else {
    std::vector<std::string> domains = reserved_domains();
    for (const std::string& domain : store.options_.domains) {
      if (!std::ranges::count(domains, domain)) domains.push_back(domain);
    }
    store.authorities_.push_back(TRY(make_and_write(base, store.options_.name, std::move(domains), now)));
  }
  for (const std::string& name : TRY(io::list_folder(store.options_.dir))) {
    if (!name.starts_with("root-") || !name.ends_with(".pem")) continue;
    store.authorities_.push_back(TRY(read_authority(store.options_.dir + "/" + name.substr(0, name.size() - 4))));
  }
  return store;
}

Result<const Authority*> CertificateStore::authority_for(std::string_view host, Time now) {
  for (const Authority& authority : authorities_) {
    if (permits(authority, host) && now < authority.not_after) return &authority;
  }
  const std::string domain = parent_domain(host);
  if (domain.empty() || parse_ip(host)) {
    return fail(Code::invalid, "no local authority may sign for \"" + std::string(host) + "\"");
  }
  authorities_.push_back(TRY(
      make_and_write(options_.dir + "/root-" + file_name(domain), options_.name + " for " + domain, {domain}, now)));
  return &authorities_.back();
}

Result<Certificate> CertificateStore::certificate(std::string_view host, Time now) {
  const bool wildcard = host.starts_with("*.");
  const auto ip = parse_ip(host);
  const std::string name = ip ? ip->text() : TRY(canonical_host(host));
  if (name == "*" || (!wildcard && name.contains('*'))) {
    return fail(Code::invalid, "\"" + std::string(host) + "\" is not a name that a certificate can have");
  }
  const Authority* authority = TRY(authority_for(name, now));
  const std::string base = options_.dir + "/leaf-" + file_name(name);
  const auto chain = io::read_file(base + ".pem", 256u << 10), key = io::read_file(base + ".key", 64u << 10);
  if (chain && key) {
    // A file that does not load is of no worth: a new leaf costs nothing.
    auto kept = load_certificate(*chain, *key);
    const bool right =
        kept && !is_due(*kept, now) && is_signed_by(*kept, *authority) && std::ranges::count(kept->hosts, name) > 0;
    if (right) return kept;
  }
  auto issued = TRY(issue(*authority, {name}, now));
  TRY(write_pair(base, issued.chain, issued.key, 0600));
  return issued;
}

std::string CertificateStore::roots() const {
  std::string bundle;
  for (const Authority& authority : authorities_) bundle += authority.certificate;
  return bundle;
}

}  // namespace berth::edge
