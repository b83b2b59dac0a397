#include "auth/negotiate.h"

#include <array>
#include <utility>

#include "auth/gssapi.h"

namespace berth::auth {
namespace {

// The library has these as variables, which would have to be linked. SPNEGO, Kerberos 5, GSS_KRB5_NT_PRINCIPAL_NAME.
constexpr std::string_view kSpnego = "\x2b\x06\x01\x05\x05\x02";
constexpr std::string_view kKerberos = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
constexpr std::string_view kPrincipal = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01";

gss_OID_desc oid(std::string_view bytes) {
  return {.length = static_cast<OM_uint32>(bytes.size()), .elements = const_cast<char*>(bytes.data())};
}
gss_buffer_desc buffer(const std::string& text) {
  return {.length = text.size(), .value = const_cast<char*>(text.data())};
}

/// What the library gave, until the end of the scope.
template <class Value, auto Gssapi::* release>
struct Held {
  const Gssapi& gss;
  Value value{};
  explicit Held(const Gssapi& library) : gss(library) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    OM_uint32 minor = 0;
    (gss.*release)(&minor, &value);
  }
};
using Buffer = Held<gss_buffer_desc, &Gssapi::release_buffer>;
using Name = Held<gss_name_t, &Gssapi::release_name>;
using Credential = Held<gss_cred_id_t, &Gssapi::release_cred>;

struct Context {
  const Gssapi& gss;
  gss_ctx_id_t value = GSS_C_NO_CONTEXT;
  explicit Context(const Gssapi& library) : gss(library) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() {
    OM_uint32 minor = 0;
    if (value != GSS_C_NO_CONTEXT) gss.delete_sec_context(&minor, &value, nullptr);
  }
};

std::string text_of(const gss_buffer_desc& buffer) {
  return {static_cast<const char*>(buffer.value), buffer.length};
}

/// The library's words: of the mechanism where it says something, else of GSSAPI itself.
std::string words(const Gssapi& gss, OM_uint32 major, OM_uint32 minor) {
  gss_OID_desc mechanism = oid(kKerberos);
  const bool of_mechanism = minor != 0;
  OM_uint32 status = 0, more = 0;
  Buffer told(gss);
  gss.display_status(&status, of_mechanism ? minor : major, of_mechanism ? GSS_C_MECH_CODE : GSS_C_GSS_CODE,
                     of_mechanism ? &mechanism : nullptr, &more, &told.value);
  return told.value.length > 0 ? text_of(told.value) : "status " + std::to_string(major);
}

Result<void> acquire(const Gssapi& gss, const KerberosSettings& settings, const std::string& replays,
                     Credential& credential) {
  OM_uint32 minor = 0;
  gss_OID_desc type = oid(kPrincipal);
  gss_buffer_desc text = buffer(settings.principal);
  Name name(gss);
  OM_uint32 major = gss.import_name(&minor, &text, &type, &name.value);
  if (GSS_ERROR(major)) return fail(Code::unavailable, "kerberos: the principal: " + words(gss, major, minor));
  std::array mechanisms = {oid(kSpnego), oid(kKerberos)};
  gss_OID_set_desc wanted = {.count = mechanisms.size(), .elements = mechanisms.data()};
  const std::string keytab = "FILE:" + settings.keytab, cache = "file2:" + replays;
  std::array elements = {gss_key_value_element_desc{.key = "keytab", .value = keytab.c_str()},
                         gss_key_value_element_desc{.key = "rcache", .value = cache.c_str()}};
  const gss_key_value_set_desc places = {.count = replays.empty() ? 1u : 2u, .elements = elements.data()};
  major = gss.acquire_cred_from(&minor, name.value, GSS_C_INDEFINITE, &wanted, GSS_C_ACCEPT, &places, &credential.value,
                                nullptr, nullptr);
  if (GSS_ERROR(major))
    return fail(Code::unavailable, "kerberos: the keytab " + settings.keytab + ": " + words(gss, major, minor));
  return {};
}

}  // namespace

Result<Accepted> accept_token(const KerberosSettings& settings, const std::string& replays, const std::string& token) {
  const Gssapi& gss = *TRY(gssapi());
  Credential credential(gss);
  TRY(acquire(gss, settings, replays, credential));
  Context context(gss);
  Name client(gss);
  Buffer answer(gss), shown(gss);
  gss_buffer_desc input = buffer(token);
  OM_uint32 minor = 0;
  // No delegated credential is taken: berth acts for nobody elsewhere.
  OM_uint32 major = gss.accept_sec_context(&minor, &context.value, credential.value, &input, GSS_C_NO_CHANNEL_BINDINGS,
                                           &client.value, nullptr, &answer.value, nullptr, nullptr, nullptr);
  if (GSS_ERROR(major)) return fail(Code::denied, "kerberos: " + words(gss, major, minor));
  if (major != GSS_S_COMPLETE) return fail(Code::denied, "kerberos: the token needs more than one round");
  major = gss.display_name(&minor, client.value, &shown.value, nullptr);
  if (GSS_ERROR(major)) return fail(Code::denied, "kerberos: " + words(gss, major, minor));
  return Accepted{.principal = text_of(shown.value), .answer = text_of(answer.value)};
}

}  // namespace berth::auth
