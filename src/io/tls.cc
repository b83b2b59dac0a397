#include "io/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace berth::io {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* value) const {
    Free(value);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using AddressPtr = std::unique_ptr<ASN1_OCTET_STRING, Deleter<ASN1_OCTET_STRING_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

bool names_uri(X509* certificate, std::string_view wanted) {
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier));
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.uniformResourceIdentifier));
    if (std::string_view(text, size) == wanted) return true;
  }
  return false;
}

// The newest reason in OpenSSL's queue; empties it.
std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* text = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return text ? text : "unknown reason";
}

BioPtr memory(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace

struct TlsIdentity::Parts {
  CertificatePtr leaf;
  std::vector<CertificatePtr> chain;
  KeyPtr key;
};
TlsIdentity::TlsIdentity() : parts_(std::make_unique<Parts>()) {}
TlsIdentity::~TlsIdentity() = default;

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::from_pem(std::string_view chain, std::string_view key) {
  std::shared_ptr<TlsIdentity> out(new TlsIdentity);
  Parts& parts = *out->parts_;
  const BioPtr certificates = memory(chain);
  parts.leaf.reset(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
  if (!parts.leaf) return fail(Code::invalid, "the certificate is not PEM: " + openssl_reason());
  while (X509* next = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)) parts.chain.emplace_back(next);
  ERR_clear_error();
  parts.key.reset(PEM_read_bio_PrivateKey(memory(key).get(), nullptr, nullptr, nullptr));
  if (!parts.key) return fail(Code::invalid, "the private key is not PEM: " + openssl_reason());
  if (X509_check_private_key(parts.leaf.get(), parts.key.get()) != 1)
    return fail(Code::invalid, "the private key does not belong to the certificate: " + openssl_reason());
  return std::shared_ptr<const TlsIdentity>(std::move(out));
}

struct TlsContext::Parts {
  SSL_CTX* context = nullptr;
  TlsServerOptions server;
  TlsClientOptions client;
  std::string alpn;
  bool is_server = false;
  ~Parts() { SSL_CTX_free(context); }
};
TlsContext::TlsContext() : parts_(std::make_unique<Parts>()) {}
TlsContext::~TlsContext() = default;

namespace {

using HeldPolicy = std::shared_ptr<const TlsPolicy>;

// A connection keeps the policy that it began with.
int policy_index() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* held, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<HeldPolicy*>(held); });
  return index;
}
const TlsPolicy* policy_of(SSL* ssl) {
  const auto* held = static_cast<HeldPolicy*>(SSL_get_ex_data(ssl, policy_index()));
  return held ? held->get() : nullptr;
}
void hold(SSL* ssl, HeldPolicy policy) {
  delete static_cast<HeldPolicy*>(SSL_get_ex_data(ssl, policy_index()));
  SSL_set_ex_data(ssl, policy_index(), policy ? new HeldPolicy(std::move(policy)) : nullptr);
}

constexpr char kSuites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr std::string_view kAcme(
    "\x0a"
    "acme-tls/1",
    11);  // as on the wire

std::string_view extension_of(SSL* ssl, unsigned type) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, type, &data, &size) != 1) return {};
  return {reinterpret_cast<const char*>(data), size};
}

// One host name behind the lengths of the list and of itself (RFC 6066 3); OpenSSL refuses what is not so.
std::string_view server_name_of(SSL* ssl) {
  const std::string_view text = extension_of(ssl, TLSEXT_TYPE_server_name);
  return text.size() > 5 && text[2] == TLSEXT_NAMETYPE_host_name ? text.substr(5) : std::string_view();
}

bool offers_only_acme(SSL* ssl) {
  const std::string_view text = extension_of(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation);
  return text.size() > 2 && text.substr(2) == kAcme;
}

void use(SSL* ssl, const TlsIdentity::Parts& chosen) {
  SSL_use_certificate(ssl, chosen.leaf.get());
  SSL_use_PrivateKey(ssl, chosen.key.get());
  SSL_clear_chain_certs(ssl);
  for (const auto& certificate : chosen.chain) SSL_add1_chain_cert(ssl, certificate.get());
}

// Called once per handshake before anything is decided, also without a name and for resumed sessions; twice when the
// client is asked for another key share.
int on_client_hello(SSL* ssl, int* alert, void* argument) {
  const auto& parts = *static_cast<TlsContext::Parts*>(argument);
  const TlsChoice choice = parts.server.choose({.server_name = server_name_of(ssl), .acme = offers_only_acme(ssl)});
  if (!choice.identity) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
  }
  use(ssl, choice.identity->parts());
  if (choice.policy) choice.policy->apply(ssl);
  if (choice.policy || policy_of(ssl)) hold(ssl, choice.policy);
  return SSL_CLIENT_HELLO_SUCCESS;
}

// The name was looked at already; this one only lets OpenSSL tell the client so.
int on_server_name(SSL*, int*, void*) {
  return SSL_TLSEXT_ERR_OK;
}

// NOLINTNEXTLINE(readability-function-size): OpenSSL's signature.
int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned size,
            void* argument) {
  const TlsPolicy* policy = policy_of(ssl);
  std::string_view wire = static_cast<TlsContext::Parts*>(argument)->alpn;
  if (policy && !policy->alpn().empty()) wire = policy->alpn();
  if (wire.empty()) return SSL_TLSEXT_ERR_NOACK;  // the server has no preference to tell
  if (std::string_view(reinterpret_cast<const char*>(offered), size) == kAcme) wire = kAcme;
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(wire.data()),
                                          static_cast<unsigned>(wire.size()), offered, size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// The ephemeral keys of a handshake that is over: OpenSSL would keep them as long as the connection. A private one is
/// better gone (forward secrecy), and both are 0.4 KB.
void forget_keys(SSL* ssl) {
  for (const auto get : {+[](SSL* from, EVP_PKEY** key) { return SSL_get_tmp_key(from, key); },
                         +[](SSL* from, EVP_PKEY** key) { return SSL_get_peer_tmp_key(from, key); }}) {
    EVP_PKEY* found = nullptr;
    if (get(ssl, &found) != 1) continue;
    const KeyPtr key(found);
    EVP_PKEY_set_type(key.get(), EVP_PKEY_get_base_id(key.get()));  // a key of its type, and empty
  }
  ERR_clear_error();
}

Result<void> trust(SSL_CTX* context, const TlsClientOptions& options) {
  if (!options.verify) return {};
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (options.ca_pem.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  const BioPtr roots = memory(options.ca_pem);
  int count = 0;
  while (X509* root = PEM_read_bio_X509(roots.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root);
    X509_free(root);
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return fail(Code::invalid, "the trusted roots hold no PEM certificate");
  return {};
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::server(TlsServerOptions options) {
  std::shared_ptr<TlsContext> out(new TlsContext);
  Parts& parts = *out->parts_;
  parts.server = std::move(options);
  parts.alpn = alpn_wire(parts.server.alpn);
  parts.is_server = true;
  parts.context = SSL_CTX_new(TLS_server_method());
  if (!parts.context) return fail(Code::internal, "cannot set up TLS: " + openssl_reason());
  SSL_CTX_set_min_proto_version(parts.context, TLS1_2_VERSION);
  // Releasing idle buffers saves 34 KiB per idle connection; moving buffers let a blocked write be tried again.
  SSL_CTX_set_mode(parts.context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(parts.context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Forward secrecy and authenticated encryption only, also in TLS 1.2 (RFC 9325 section 4.2). SHA-256 first: cores
  // compute it by instructions of its own, and a handshake hashes some forty times.
  SSL_CTX_set_cipher_list(parts.context, "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_ciphersuites(parts.context, kSuites);
  // A session lives in its ticket alone; one a connection, also a resumed one, so that there is always a next.
  SSL_CTX_set_num_tickets(parts.context, 1);
  SSL_CTX_set_session_cache_mode(parts.context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(parts.context, 1);  // else each record costs a call for its header and one for the rest
  SSL_CTX_set_session_id_context(parts.context, reinterpret_cast<const unsigned char*>("berth"), 5);
  SSL_CTX_set_client_hello_cb(parts.context, on_client_hello, &parts);
  SSL_CTX_set_tlsext_servername_callback(parts.context, on_server_name);
  SSL_CTX_set_alpn_select_cb(parts.context, on_alpn, &parts);
  std::string& key = parts.server.ticket_key;
  if (!key.empty() && SSL_CTX_set_tlsext_ticket_keys(parts.context, key.data(), static_cast<long>(key.size())) != 1)
    return fail(Code::internal, "cannot set up TLS: " + openssl_reason());
  return out;
}

Result<std::string> new_ticket_key() {
  std::string key(kTicketKeySize, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) != 1)
    return fail(Code::internal, "no random bytes: " + openssl_reason());
  return key;
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(TlsClientOptions options) {
  std::shared_ptr<TlsContext> out(new TlsContext);
  Parts& parts = *out->parts_;
  parts.client = std::move(options);
  parts.alpn = alpn_wire(parts.client.alpn);
  parts.context = SSL_CTX_new(TLS_client_method());
  if (!parts.context) return fail(Code::internal, "cannot set up TLS: " + openssl_reason());
  SSL_CTX_set_min_proto_version(parts.context, TLS1_2_VERSION);
  SSL_CTX_set_mode(parts.context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(parts.context, 1);
  TRY(trust(parts.context, parts.client));
  if (parts.client.identity) {
    const auto& own = parts.client.identity->parts();
    SSL_CTX_use_certificate(parts.context, own.leaf.get());
    SSL_CTX_use_PrivateKey(parts.context, own.key.get());
    for (const auto& certificate : own.chain) SSL_CTX_add1_chain_cert(parts.context, certificate.get());
  }
  return out;
}

namespace {

class TlsOverStream final : public TlsStream {
 public:
  TlsOverStream(std::unique_ptr<Stream> below, std::shared_ptr<TlsContext> context, const std::string& server_name)
      : below_(std::move(below)), context_(std::move(context)), ssl_(SSL_new(context_->parts().context)) {
    BIO* bio = BIO_new(method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    if (context_->parts().is_server) {
      SSL_set_accept_state(ssl_);
      return;
    }
    const auto& options = context_->parts().client;
    const std::string& name = server_name.empty() ? options.server_name : server_name;
    if (!name.empty() && !is_address(name)) SSL_set_tlsext_host_name(ssl_, name.c_str());
    if (options.verify && options.peer_uri.empty()) expect_host(name);
    const auto& alpn = context_->parts().alpn;
    if (!alpn.empty())
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned>(alpn.size()));
    SSL_set_connect_state(ssl_);
  }
  ~TlsOverStream() override { SSL_free(ssl_); }

  Task<Result<void>> handshake() override {
    while (true) {
      co_await heavy_turn();
      ERR_clear_error();
      const int result = SSL_do_handshake(ssl_);
      const Attempt attempt = result == 1 ? Attempt{.state = Attempt::moved} : explain(result, Direction::read);
      // Of what a server sends last its client waits for nothing in TLS 1.3: it goes with the first reply.
      const bool may_wait = result == 1 && context_->parts().is_server && SSL_version(ssl_) == TLS1_3_VERSION;
      holding_ = attempt.state == Attempt::blocked;
      if (attempt.state == Attempt::failed || attempt.state == Attempt::end) co_return fail_after_alert();
      if (!may_wait) CO_TRY(co_await send_held());
      if (result == 1) {
        forget_keys(ssl_);
        co_return check_uri();
      }
      CO_TRY(co_await ready(*below_, wants_[0]));
    }
  }
  Attempt try_read(std::span<char> into) override {
    ERR_clear_error();
    const int count = SSL_read(ssl_, into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1 << 30)));
    starved_ = count <= 0;
    if (count > 0) return {Attempt::moved, static_cast<std::size_t>(count)};
    return explain(count, Direction::read);
  }
  Attempt try_write(std::string_view from) override {
    ERR_clear_error();
    const int count = SSL_write(ssl_, from.data(), static_cast<int>(std::min<std::size_t>(from.size(), 1 << 30)));
    if (count > 0) return {Attempt::moved, static_cast<std::size_t>(count)};
    return explain(count, Direction::write);
  }
  WaitList& waiters(Direction direction) override { return below_->waiters(wanted(direction)); }
  bool ready_now(Direction direction) override {
    return (direction == Direction::read && may_hold_record()) || below_->ready_now(wanted(direction));
  }
  bool is_blocked(Direction direction) override {
    return direction == Direction::read && !may_hold_record() && below_->is_blocked(wanted(direction));
  }
  void shutdown_write() override {
    if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
    ERR_clear_error();
    below_->shutdown_write();
  }
  void close() override {
    // close_notify tells the peer that nothing was cut off (RFC 8446 section 6.1).
    if (!closed_ && SSL_is_init_finished(ssl_) && error_.empty()) SSL_shutdown(ssl_);
    ERR_clear_error();
    closed_ = true;
    below_->close();
  }
  Error error() const override {
    if (!error_.empty()) return Error{Code::unavailable, below_->peer() + ": TLS: " + error_};
    return below_->error();
  }
  std::string peer() const override { return below_->peer(); }
  std::string server_name() const override {
    const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
    return name ? name : "";
  }
  std::string protocol() const override {
    const unsigned char* text = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &text, &size);
    return std::string(reinterpret_cast<const char*>(text), size);
  }
  std::shared_ptr<const TlsPolicy> policy() const override {
    const auto* held = static_cast<HeldPolicy*>(SSL_get_ex_data(ssl_, policy_index()));
    return held ? *held : nullptr;
  }
  std::string peer_certificate() const override {
    const CertificatePtr shown(SSL_get1_peer_certificate(ssl_));
    unsigned char* der = nullptr;
    const int size = shown ? i2d_X509(shown.get(), &der) : 0;
    std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(std::max(size, 0)));
    OPENSSL_free(der);
    return out;
  }
  std::string_view version() const override { return SSL_get_version(ssl_); }

 private:
  /// RFC 6066 3 allows no addresses as names.
  static bool is_address(const std::string& name) {
    const AddressPtr address(a2i_IPADDRESS(name.c_str()));
    ERR_clear_error();
    return address != nullptr;
  }
  Result<void> check_uri() const {
    const auto& options = context_->parts().client;
    if (context_->parts().is_server || options.peer_uri.empty()) return {};
    const CertificatePtr shown(SSL_get1_peer_certificate(ssl_));
    if (shown && names_uri(shown.get(), options.peer_uri)) return {};
    return fail(Code::denied, below_->peer() + ": the certificate is not for " + options.peer_uri);
  }
  void expect_host(const std::string& name) {
    X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl_);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) != 1) SSL_set1_host(ssl_, name.c_str());
    ERR_clear_error();
  }
  /// OpenSSL reads ahead: what it holds may be a record, or the begin of one for which it just asked in vain.
  bool may_hold_record() const { return !starved_ && SSL_has_pending(ssl_) == 1; }
  Task<Result<void>> send_held() {
    while (!held_.empty()) {
      const Attempt attempt = below_->try_write(held_);
      if (attempt.state == Attempt::moved)
        held_.erase(0, attempt.count);
      else if (attempt.state == Attempt::blocked)
        CO_TRY(co_await ready(*below_, Direction::write));
      else
        co_return fail(below_->error());
    }
    co_return Result<void>{};
  }
  std::unexpected<Error> fail_after_alert() {
    if (!held_.empty()) static_cast<void>(below_->try_write(held_));
    return fail(handshake_error());
  }
  /// One call for what was held and what comes now. What does not go of that stays with OpenSSL.
  Attempt write_behind_held(std::string_view from) {
    const std::size_t before = held_.size();
    held_.append(from);
    const Attempt attempt = below_->try_write(held_);
    const std::size_t moved = attempt.state == Attempt::moved ? attempt.count : 0;
    if (moved <= before) {
      held_.resize(before);
      held_.erase(0, moved);
      return {attempt.state == Attempt::failed ? Attempt::failed : Attempt::blocked, 0};
    }
    std::string().swap(held_);
    return {Attempt::moved, moved - before};
  }
  Direction wanted(Direction direction) const { return wants_[direction == Direction::read ? 0 : 1]; }
  Attempt explain(int result, Direction direction) {
    Direction& wants = wants_[direction == Direction::read ? 0 : 1];
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
        wants = Direction::read;
        return {Attempt::blocked, 0};
      case SSL_ERROR_WANT_WRITE:
        wants = Direction::write;
        return {Attempt::blocked, 0};
      case SSL_ERROR_ZERO_RETURN:
        return {Attempt::end, 0};
      default:
        if (ERR_peek_error() != 0) error_ = openssl_reason();
        // A peer that goes away without close_notify: an end for those who frame their data, as HTTP does.
        if (error_ == "unexpected eof while reading" && direction == Direction::read && SSL_is_init_finished(ssl_))
          return {Attempt::end, 0};
        if (error_.empty()) error_ = "the connection was closed";
        return {Attempt::failed, 0};
    }
  }
  Error handshake_error() const {
    const long verdict = SSL_get_verify_result(ssl_);
    if (!context_->parts().is_server && verdict != X509_V_OK)
      return Error{Code::denied,
                   below_->peer() + ": the certificate is not trusted: " + X509_verify_cert_error_string(verdict)};
    return error();
  }

  static int bio_read(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    auto& self = *static_cast<TlsOverStream*>(BIO_get_data(bio));
    const Attempt attempt = self.below_->try_read(std::span(into, static_cast<std::size_t>(size)));
    if (attempt.state == Attempt::moved) return static_cast<int>(attempt.count);
    if (attempt.state == Attempt::blocked) BIO_set_retry_read(bio);
    return attempt.state == Attempt::end ? 0 : -1;
  }
  static int bio_write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    auto& self = *static_cast<TlsOverStream*>(BIO_get_data(bio));
    const std::string_view bytes(from, static_cast<std::size_t>(size));
    if (self.holding_) {
      self.held_.append(bytes);
      return size;
    }
    const Attempt attempt = self.held_.empty() ? self.below_->try_write(bytes) : self.write_behind_held(bytes);
    if (attempt.state == Attempt::moved) return static_cast<int>(attempt.count);
    if (attempt.state == Attempt::blocked) BIO_set_retry_write(bio);
    return -1;
  }
  static long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static BIO_METHOD* method() {
    static BIO_METHOD* const instance = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "berth stream");
      BIO_meth_set_read(made, bio_read);
      BIO_meth_set_write(made, bio_write);
      BIO_meth_set_ctrl(made, bio_control);
      return made;
    }();
    return instance;
  }

  std::unique_ptr<Stream> below_;
  std::shared_ptr<TlsContext> context_;
  SSL* ssl_;
  std::array<Direction, 2> wants_{Direction::read, Direction::write};
  std::string error_;
  std::string held_;      ///< of the handshake: on its way in one call, not one a message
  bool holding_ = true;   ///< the handshake's messages are being gathered
  bool starved_ = false;  ///< the last attempt to read got nothing
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<TlsStream> tls_over(std::unique_ptr<Stream> below, std::shared_ptr<TlsContext> context,
                                    const std::string& server_name) {
  return std::make_unique<TlsOverStream>(std::move(below), std::move(context), server_name);
}

}  // namespace berth::io
