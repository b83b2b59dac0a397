#include "auth/gssapi.h"

#include "io/library.h"

namespace berth::auth {
namespace {

Result<Gssapi> load() {
  const auto library = io::Library::load({"libgssapi_krb5.so.2"});
  if (!library)
    return fail(Code::unavailable, "kerberos: it needs libgssapi_krb5.so.2: install the package libgssapi-krb5-2");
  Gssapi gss{};
  const bool complete = library->find("gss_import_name", gss.import_name) &&
                        library->find("gss_display_name", gss.display_name) &&
                        library->find("gss_release_name", gss.release_name) &&
                        library->find("gss_acquire_cred_from", gss.acquire_cred_from) &&
                        library->find("gss_release_cred", gss.release_cred) &&
                        library->find("gss_accept_sec_context", gss.accept_sec_context) &&
                        library->find("gss_delete_sec_context", gss.delete_sec_context) &&
                        library->find("gss_display_status", gss.display_status) &&
                        library->find("gss_release_buffer", gss.release_buffer);
  if (!complete) return fail(Code::unavailable, "kerberos: libgssapi_krb5.so.2 is too old: update libgssapi-krb5-2");
  return gss;
}

}  // namespace

Result<const Gssapi*> gssapi() {
  static const Result<Gssapi> loaded = load();
  if (!loaded) return fail(Error(loaded.error()));
  return &*loaded;
}

}  // namespace berth::auth
