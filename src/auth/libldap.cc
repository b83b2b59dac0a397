#include "auth/libldap.h"

#include "io/library.h"

namespace berth::auth {
namespace {

bool find_all(const io::Library& library, Libldap& ldap) {
  return library.find("ldap_unbind_ext_s", ldap.unbind_ext_s) && library.find("ldap_msgfree", ldap.msgfree) &&
         library.find("ldap_value_free_len", ldap.value_free_len) && library.find("ldap_memfree", ldap.memfree) &&
         library.find("ldap_err2string", ldap.err2string) && library.find("ldap_sasl_bind_s", ldap.sasl_bind_s) &&
         library.find("ldap_search_ext_s", ldap.search_ext_s) &&
         library.find("ldap_count_entries", ldap.count_entries) && library.find("ldap_first_entry", ldap.first_entry) &&
         library.find("ldap_initialize", ldap.initialize) && library.find("ldap_set_option", ldap.set_option) &&
         library.find("ldap_start_tls_s", ldap.start_tls_s) &&
         library.find("ldap_get_values_len", ldap.get_values_len) &&
         library.find("ldap_count_values_len", ldap.count_values_len) && library.find("ldap_get_dn", ldap.get_dn);
}

Result<Libldap> load() {
  const auto library = io::Library::load({"libldap-2.5.so.0", "libldap.so.2"});
  if (!library) return fail(Code::unavailable, "signing in by LDAP needs libldap: install the package libldap-2.5-0");
  Libldap ldap{};
  if (!find_all(*library, ldap)) return fail(Code::unavailable, "libldap is too old: update the package libldap-2.5-0");
  return ldap;
}

}  // namespace

Result<const Libldap*> libldap() {
  static const Result<Libldap> loaded = load();
  if (!loaded) return fail(Error(loaded.error()));
  return &*loaded;
}

}  // namespace berth::auth
