#include "auth/ldap.h"

#include <sys/time.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "auth/ldap_text.h"
#include "auth/libldap.h"
#include "base/text.h"
#include "io/file.h"
#include "io/temporary.h"

namespace berth::auth {
namespace {

constexpr int kSeconds = 5;
constexpr std::size_t kMostName = 256, kMostPassword = 1024;

/// Of who called libldap() with success before: connect() does.
const Libldap& library() {
  return **libldap();
}

struct Unbind {
  void operator()(LDAP* ldap) const { library().unbind_ext_s(ldap, nullptr, nullptr); }
};
struct FreeMessage {
  void operator()(LDAPMessage* message) const { library().msgfree(message); }
};
struct FreeValues {
  void operator()(berval** values) const { library().value_free_len(values); }
};
struct FreeText {
  void operator()(char* text) const { library().memfree(text); }
};
using Messages = std::unique_ptr<LDAPMessage, FreeMessage>;

std::unexpected<Error> failed(Code code, int status, std::string_view doing) {
  return fail(code, "the directory: " + std::string(doing) + ": " + library().err2string(status));
}

/// What a directory answers to a wrong name or password, or for an account that is locked.
bool is_no(int status) {
  return status == LDAP_INVALID_CREDENTIALS || status == LDAP_NO_SUCH_OBJECT || status == LDAP_INAPPROPRIATE_AUTH ||
         status == LDAP_UNWILLING_TO_PERFORM;
}

/// One connection. Blocks; each step ends within kSeconds.
class Directory {
 public:
  static Result<std::unique_ptr<Directory>> connect(const LdapSettings& settings) {
    (void)TRY(libldap());
    auto directory = std::make_unique<Directory>();
    TRY(directory->open(settings));
    return directory;
  }

  Result<void> bind(const std::string& dn, const std::string& password) {
    berval credentials{.bv_len = password.size(), .bv_val = const_cast<char*>(password.data())};
    const int status =
        library().sasl_bind_s(ldap_.get(), dn.c_str(), LDAP_SASL_SIMPLE, &credentials, nullptr, nullptr, nullptr);
    if (status != LDAP_SUCCESS) return failed(is_no(status) ? Code::denied : Code::unavailable, status, "signing in");
    return {};
  }

  struct Entry {
    std::string dn{};
    Identity identity{};
  };
  /// The one entry below `base` (or it itself); Code::denied for none and for several.
  Result<Entry> find_one(const std::string& base, int scope, const std::string& filter, const LdapSettings& settings) {
    std::string wanted[] = {settings.subject, settings.name, settings.groups};
    char* attributes[] = {wanted[0].data(), wanted[1].data(), wanted[2].data(), nullptr};
    timeval most{.tv_sec = kSeconds, .tv_usec = 0};
    LDAPMessage* raw = nullptr;
    const int status = library().search_ext_s(ldap_.get(), base.c_str(), scope, filter.c_str(), attributes, 0, nullptr,
                                              nullptr, &most, 2, &raw);
    const Messages found(raw);
    if (status == LDAP_SIZELIMIT_EXCEEDED) return fail(Code::denied, "the directory: several entries match");
    if (status != LDAP_SUCCESS)
      return failed(status == LDAP_NO_SUCH_OBJECT ? Code::denied : Code::unavailable, status, "searching");
    if (library().count_entries(ldap_.get(), found.get()) != 1)
      return fail(Code::denied, "the directory: not exactly one entry matches");
    return entry_of(library().first_entry(ldap_.get(), found.get()), settings);
  }

 private:
  Result<void> open(const LdapSettings& settings) {
    LDAP* raw = nullptr;
    if (library().initialize(&raw, settings.url.c_str()) != LDAP_SUCCESS)
      return fail(Code::invalid, "the directory's address is none: " + settings.url);
    ldap_.reset(raw);
    const int version = LDAP_VERSION3;
    const timeval most{.tv_sec = kSeconds, .tv_usec = 0};
    library().set_option(raw, LDAP_OPT_PROTOCOL_VERSION, &version);
    library().set_option(raw, LDAP_OPT_NETWORK_TIMEOUT, &most);
    library().set_option(raw, LDAP_OPT_TIMEOUT, &most);
    library().set_option(raw, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    TRY(verify_with(settings.ca));
    if (settings.url.starts_with("ldaps://")) return {};
    const int status = library().start_tls_s(raw, nullptr, nullptr);
    if (status != LDAP_SUCCESS) return failed(Code::unavailable, status, "StartTLS");
    return {};
  }

  /// The library takes roots from a file only.
  Result<void> verify_with(const std::string& ca) {
    const int demand = LDAP_OPT_X_TLS_DEMAND, client = 0;
    int status = library().set_option(ldap_.get(), LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    if (!ca.empty()) {
      folder_ = TRY(io::TemporaryFolder::make("/tmp", "berth-ldap"));
      const std::string path = folder_->path() + "/ca.pem";
      TRY(io::write_file(path, ca, 0600));
      status |= library().set_option(ldap_.get(), LDAP_OPT_X_TLS_CACERTFILE, path.c_str());
    }
    status |= library().set_option(ldap_.get(), LDAP_OPT_X_TLS_NEWCTX, &client);
    if (status != LDAP_OPT_SUCCESS) return fail(Code::invalid, "the directory: its ca is no certificate");
    return {};
  }

  std::vector<std::string> values(LDAPMessage* entry, const std::string& name) {
    const std::unique_ptr<berval*, FreeValues> found(library().get_values_len(ldap_.get(), entry, name.c_str()));
    std::vector<std::string> out;
    for (int i = 0; found && i < library().count_values_len(found.get()); ++i)
      out.emplace_back(found.get()[i]->bv_val, found.get()[i]->bv_len);
    return out;
  }

  Result<Entry> entry_of(LDAPMessage* message, const LdapSettings& settings) {
    const std::unique_ptr<char, FreeText> dn(library().get_dn(ldap_.get(), message));
    const auto subjects = values(message, settings.subject), names = values(message, settings.name);
    // A bind without a name is an anonymous one, whatever the password.
    if (!dn || *dn == '\0') return fail(Code::denied, "the directory: the entry has no name");
    if (subjects.size() != 1 || subjects[0].empty() || subjects[0].size() > 255)
      return fail(Code::denied, "the directory: the entry has not exactly one " + settings.subject);
    Entry entry{.dn = dn.get()};
    entry.identity.subject = subjects[0];
    if (!names.empty()) entry.identity.name = names[0];
    for (auto& group : values(message, settings.groups)) entry.identity.groups.insert(std::move(group));
    return entry;
  }

  std::optional<io::TemporaryFolder> folder_;
  std::unique_ptr<LDAP, Unbind> ldap_;
};

Result<Directory::Entry> search(const LdapSettings& settings, const std::string& secret, const std::string& name) {
  const auto searching = TRY(Directory::connect(settings));
  if (!settings.bind_dn.empty()) {
    if (secret.empty()) return fail(Code::invalid, "the directory: bindDn has no password; set the provider's secret");
    // That its password is wrong is not the user's fault.
    if (auto bound = searching->bind(settings.bind_dn, secret); !bound)
      return fail(Code::unavailable, "bindDn: " + bound.error().message);
  }
  return searching->find_one(settings.base, LDAP_SCOPE_SUBTREE, with_name(settings.filter, escape_filter(name)),
                             settings);
}

Result<Identity> search_bind(const LdapSettings& settings, const std::string& secret, const std::string& name,
                             const std::string& password) {
  auto entry = TRY(search(settings, secret, name));
  const auto own = TRY(Directory::connect(settings));
  TRY(own->bind(entry.dn, password));
  return std::move(entry.identity);
}

Result<Identity> direct_bind(const LdapSettings& settings, const std::string& name, const std::string& password) {
  const std::string dn = with_name(settings.user_dn, escape_dn(name));
  const auto own = TRY(Directory::connect(settings));
  TRY(own->bind(dn, password));
  return std::move(TRY(own->find_one(dn, LDAP_SCOPE_BASE, "(objectClass=*)", settings)).identity);
}

/// Directories compare names without regard to spaces: one spelling only, so that tries are counted for one name.
bool is_name(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return !name.empty() && name.size() <= kMostName && std::ranges::none_of(name, is_control) && trim(name) == name &&
         !name.contains("  ");
}

}  // namespace

io::Task<Result<Identity>> ldap_identity(LdapSettings settings, std::string secret, std::string name,
                                         std::string password) {
  if (!is_name(name)) co_return fail(Code::denied, "the name or the password is wrong");
  if (password.empty() || password.size() > kMostPassword || password.contains('\0'))
    co_return fail(Code::denied, "the name or the password is wrong");
  Result<Identity> identity;
  co_await io::on_pool([&] {
    identity = settings.user_dn.empty() ? search_bind(settings, secret, name, password)
                                        : direct_bind(settings, name, password);
  });
  co_return identity;
}

io::Task<Result<Identity>> ldap_entry(LdapSettings settings, std::string secret, std::string name) {
  if (settings.filter.empty())
    co_return fail(Code::invalid, "the directory: looking users up needs base and filter, not userDn");
  if (!is_name(name)) co_return fail(Code::denied, "the directory: this is no name");
  Result<Directory::Entry> entry;
  co_await io::on_pool([&] { entry = search(settings, secret, name); });
  if (!entry) co_return fail(entry.error());
  co_return std::move(entry->identity);
}

}  // namespace berth::auth
