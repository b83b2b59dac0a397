#include "io/tls_policy.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace berth::io {
namespace {

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(STACK_OF(X509_NAME) * names) const { sk_X509_NAME_pop_free(names, X509_NAME_free); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeTls>;

int accept_any(int, X509_STORE_CTX*) {
  return 1;
}

bool verifies(TlsPolicy::ClientAuth auth) {
  return auth == TlsPolicy::ClientAuth::verify_if_given || auth == TlsPolicy::ClientAuth::require_and_verify;
}

int mode_of(TlsPolicy::ClientAuth auth) {
  using Auth = TlsPolicy::ClientAuth;
  if (auth == Auth::none) return SSL_VERIFY_NONE;
  const bool required = auth == Auth::require_any || auth == Auth::require_and_verify;
  return SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
}

std::string text_of(const TlsPolicy::Options& options) {
  std::string text;
  for (const std::string* part : {&options.ciphers, &options.suites, &options.curves, &options.client_ca})
    text += *part + '\0';
  text += std::to_string(options.min_version) + "-" + std::to_string(options.max_version) + "/" +
          std::to_string(static_cast<int>(options.client_auth));
  return text + alpn_wire(options.alpn);
}

}  // namespace

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string out;
  for (const auto& protocol : protocols) out += static_cast<char>(protocol.size()) + protocol;
  return out;
}

struct TlsPolicy::Parts {
  Options options;
  std::string alpn;
  Owned<X509_STORE> roots;
  Owned<STACK_OF(X509_NAME)> names;  ///< told to clients, so that they choose a certificate that may pass
  unsigned char session[SHA256_DIGEST_LENGTH]{};

  Result<void> read_roots() {
    roots.reset(X509_STORE_new());
    names.reset(sk_X509_NAME_new_null());
    const Owned<BIO> text(BIO_new_mem_buf(options.client_ca.data(), static_cast<int>(options.client_ca.size())));
    int count = 0;
    while (const Owned<X509> root{PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)}) {
      X509_STORE_add_cert(roots.get(), root.get());
      sk_X509_NAME_push(names.get(), X509_NAME_dup(X509_get_subject_name(root.get())));
      ++count;
    }
    ERR_clear_error();
    if (count == 0)
      return fail(Code::invalid, "certificates of clients are verified, but there is no PEM root for that");
    return {};
  }

  /// OpenSSL tells at once whether it knows the names.
  bool set_on(SSL* ssl) const {
    static constexpr int kVersions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    bool fine = SSL_set_min_proto_version(ssl, kVersions[options.min_version - 10]) == 1 &&
                SSL_set_max_proto_version(ssl, kVersions[options.max_version - 10]) == 1;
    if (!options.ciphers.empty()) fine = fine && SSL_set_cipher_list(ssl, options.ciphers.c_str()) == 1;
    if (!options.suites.empty()) fine = fine && SSL_set_ciphersuites(ssl, options.suites.c_str()) == 1;
    if (!options.curves.empty()) fine = fine && SSL_set1_groups_list(ssl, options.curves.c_str()) == 1;
    // OpenSSL's security level 1 has no TLS below 1.2.
    if (options.min_version < 12) SSL_set_security_level(ssl, 0);
    return fine;
  }
};
TlsPolicy::TlsPolicy() : parts_(std::make_unique<Parts>()) {}
TlsPolicy::~TlsPolicy() = default;

Result<std::shared_ptr<const TlsPolicy>> TlsPolicy::make(const Options& options) {
  if (options.min_version < 10 || options.max_version > 13 || options.min_version > options.max_version)
    return fail(Code::invalid, "TLS versions are 1.0 to 1.3, and the least is at most the greatest");
  std::shared_ptr<TlsPolicy> policy(new TlsPolicy);
  Parts& parts = *policy->parts_;
  parts.options = options;
  parts.alpn = alpn_wire(options.alpn);
  if (verifies(options.client_auth)) TRY(parts.read_roots());
  const std::string text = text_of(options);
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), parts.session);
  const Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  const Owned<SSL> trial(SSL_new(context.get()));
  const bool known = parts.set_on(trial.get());
  ERR_clear_error();
  if (!known) return fail(Code::invalid, "a cipher suite or curve is not known to OpenSSL, or needs another version");
  return std::shared_ptr<const TlsPolicy>(std::move(policy));
}

const std::string& TlsPolicy::alpn() const {
  return parts_->alpn;
}

void TlsPolicy::apply(SSL* ssl) const {
  const Options& options = parts_->options;
  parts_->set_on(ssl);
  SSL_set_session_id_context(ssl, parts_->session, sizeof parts_->session);
  const bool verified = verifies(options.client_auth);
  SSL_set_verify(ssl, mode_of(options.client_auth), verified ? nullptr : accept_any);
  if (!verified) return;
  SSL_set1_verify_cert_store(ssl, parts_->roots.get());
  SSL_set_client_CA_list(ssl, SSL_dup_CA_list(parts_->names.get()));
}

}  // namespace berth::io
