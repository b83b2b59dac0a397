// libldap, loaded when a directory is first asked: it brings seven libraries that cost every process and every start.
// Only ldap.cc includes this.
#pragma once

#include <ldap.h>

#include "base/error.h"

namespace berth::auth {

/// The functions of the library that berth calls, named as there without their prefix.
struct Libldap {
  decltype(&ldap_unbind_ext_s) unbind_ext_s;
  decltype(&ldap_msgfree) msgfree;
  decltype(&ldap_value_free_len) value_free_len;
  decltype(&ldap_memfree) memfree;
  decltype(&ldap_err2string) err2string;
  decltype(&ldap_sasl_bind_s) sasl_bind_s;
  decltype(&ldap_search_ext_s) search_ext_s;
  decltype(&ldap_count_entries) count_entries;
  decltype(&ldap_first_entry) first_entry;
  decltype(&ldap_initialize) initialize;
  decltype(&ldap_set_option) set_option;
  decltype(&ldap_start_tls_s) start_tls_s;
  decltype(&ldap_get_values_len) get_values_len;
  decltype(&ldap_count_values_len) count_values_len;
  decltype(&ldap_get_dn) get_dn;
};

/// Code::unavailable names the package that is missing. Any thread.
Result<const Libldap*> libldap();

}  // namespace berth::auth
