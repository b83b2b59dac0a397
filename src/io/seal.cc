#include "io/seal.h"

#include <sodium.h>
#include <unistd.h>

#include "base/hash.h"
#include "io/file.h"

namespace berth::io {
namespace {

constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  // sodium_init is needed once in a process and says 1 when it was done before; it fails only without random numbers.
  if (sodium_init() < 0) std::abort();
  ::randombytes_buf(out.data(), out.size());
  return out;
}

Result<SealKey> SealKey::load(const std::string& path) {
  auto text = TRY(read_file(path, 1 << 12));
  if (text.size() != kKey)
    return fail(Code::invalid, path + " is no key of berth: it has not " + std::to_string(kKey) + " bytes");
  return SealKey(std::move(text));
}

Result<SealKey> SealKey::load_or_make(const std::string& path) {
  auto found = load(path);
  if (found || found.error().code != Code::not_found) return found;
  TRY(make_folder(folder_of(path), 0700));
  const std::string own = path + "." + to_hex(random_bytes(8));
  TRY(write_file(own, random_bytes(kKey), 0600));
  // A link never replaces: whoever comes second reads the first one's key.
  const bool linked = ::link(own.c_str(), path.c_str()) == 0 || errno == EEXIST;
  const auto removed = remove_file(own);
  if (!linked) return fail(Code::denied, path + ": the key cannot be made here");
  TRY(Result<void>(removed));
  return load(path);
}

std::string SealKey::seal(std::string_view text, std::string_view context) const {
  std::string out = random_bytes(kNonce);
  out.resize(kNonce + text.size() + kTag);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(out) + kNonce, nullptr, bytes_of(text), text.size(),
                                             bytes_of(context), context.size(), nullptr, bytes_of(out),
                                             bytes_of(std::string_view(bytes_)));
  return out;
}

Result<std::string> SealKey::open(std::string_view sealed, std::string_view context) const {
  if (sealed.size() < kNonce + kTag) return fail(Code::invalid, "it is cut off");
  std::string out(sealed.size() - kNonce - kTag, '\0');
  const auto cipher = sealed.substr(kNonce);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes_of(out), nullptr, nullptr, bytes_of(cipher), cipher.size(),
                                                 bytes_of(context), context.size(), bytes_of(sealed),
                                                 bytes_of(std::string_view(bytes_))) != 0)
    return fail(Code::invalid, "it was cut off, changed, or sealed with another key");
  return out;
}

std::string SealKey::derive(std::string_view purpose) const {
  return hmac_sha256_hex(bytes_, purpose);
}

}  // namespace berth::io
