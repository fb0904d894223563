// See seal.h. Sealed bytes are nonce || ciphertext || tag.
#include "troupe/crypto/seal.h"

#include "troupe/base/random.h"
#include "troupe/crypto/digest.h"
#include "troupe/crypto/openssl.h"
#include "troupe/wire/base64.h"
#include "troupe/wire/hex.h"

namespace troupe::crypto {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;

using CipherContext = base::Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

const EVP_CIPHER* fetched_gcm() {
  static const EVP_CIPHER* const cipher = need(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), "AES-256-GCM");
  return cipher;
}

unsigned char* octets_of(std::string& text) noexcept { return reinterpret_cast<unsigned char*>(text.data()); }

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  base::secure_random()->fill(std::as_writable_bytes(std::span{bytes}));
  return bytes;
}

}  // namespace

SealKey::SealKey(base::Secret<std::string> bytes)
    : bytes_(std::move(bytes)), id_(hex(hmac_sha256(bytes_.expose(), "the id of this key").view().substr(0, 8))) {}

std::optional<SealKey> SealKey::parse(std::string_view text) {
  constexpr std::string_view white = " \t\r\n";
  if (const auto end = text.find_last_not_of(white); end != text.npos) text = text.substr(0, end + 1);
  text.remove_prefix(std::min(text.find_first_not_of(white), text.size()));
  auto bytes = text.size() == 2 * size ? wire::from_hex(text) : wire::from_base64url(text);
  if (!bytes || bytes->size() != size) return std::nullopt;
  return SealKey{base::Secret{*std::move(bytes)}};
}

base::Secret<std::string> SealKey::generate() { return base::Secret{wire::to_base64url(random_bytes(size))}; }

std::string SealKey::seal(const base::Secret<std::string>& plain, std::string_view place) const {
  const std::string& text = plain.expose();
  std::string sealed = random_bytes(nonce_size);
  sealed.resize(nonce_size + text.size() + tag_size);
  unsigned char* const nonce = octets_of(sealed);
  const CipherContext context{need(EVP_CIPHER_CTX_new(), "a cipher context")};
  int written = 0;
  need_ok(EVP_EncryptInit_ex2(context.get(), fetched_gcm(), octets(bytes_.expose()), nonce, nullptr), "seal");
  need_ok(EVP_EncryptUpdate(context.get(), nullptr, &written, octets(place), static_cast<int>(place.size())), "seal");
  need_ok(EVP_EncryptUpdate(context.get(), nonce + nonce_size, &written, octets(text), static_cast<int>(text.size())),
          "seal");
  need_ok(EVP_EncryptFinal_ex(context.get(), nonce + nonce_size + written, &written), "seal");
  need_ok(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, nonce + nonce_size + text.size()),
          "seal");
  return sealed;
}

std::optional<base::Secret<std::string>> SealKey::unseal(std::string_view sealed, std::string_view place) const {
  if (sealed.size() < nonce_size + tag_size) return std::nullopt;
  const std::string_view text = sealed.substr(nonce_size, sealed.size() - nonce_size - tag_size);
  std::string tag{sealed.substr(sealed.size() - tag_size)};
  std::string plain(text.size(), '\0');
  const CipherContext context{need(EVP_CIPHER_CTX_new(), "a cipher context")};
  int written = 0;
  need_ok(EVP_DecryptInit_ex2(context.get(), fetched_gcm(), octets(bytes_.expose()), octets(sealed), nullptr),
          "unseal");
  need_ok(EVP_DecryptUpdate(context.get(), nullptr, &written, octets(place), static_cast<int>(place.size())), "unseal");
  need_ok(EVP_DecryptUpdate(context.get(), octets_of(plain), &written, octets(text), static_cast<int>(text.size())),
          "unseal");
  need_ok(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()), "unseal");
  if (EVP_DecryptFinal_ex(context.get(), octets_of(plain) + written, &written) != 1) {
    ERR_clear_error();
    OPENSSL_cleanse(plain.data(), plain.size());
    return std::nullopt;
  }
  return base::Secret{std::move(plain)};
}

}  // namespace troupe::crypto
