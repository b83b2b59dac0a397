// GSSAPI of MIT Kerberos, loaded when a Kerberos provider is used: no other start of berth pays for its libraries.
// Within this room.
#pragma once

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

#include "base/error.h"

namespace berth::auth {

/// Its functions, by their names without gss_.
struct Gssapi {
  decltype(&gss_import_name) import_name;
  decltype(&gss_display_name) display_name;
  decltype(&gss_release_name) release_name;
  decltype(&gss_acquire_cred_from) acquire_cred_from;
  decltype(&gss_release_cred) release_cred;
  decltype(&gss_accept_sec_context) accept_sec_context;
  decltype(&gss_delete_sec_context) delete_sec_context;
  decltype(&gss_display_status) display_status;
  decltype(&gss_release_buffer) release_buffer;
};

/// Code::unavailable with the package to install where the library is missing. Thread: any.
Result<const Gssapi*> gssapi();

}  // namespace berth::auth
