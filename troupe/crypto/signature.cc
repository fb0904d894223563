// See signature.h.
#include "troupe/crypto/signature.h"

#include "troupe/crypto/digest.h"
#include "troupe/crypto/key_state.h"

namespace troupe::crypto {
namespace {

constexpr std::size_t es256_half = 32;

/// Tells `context` that it gets SHA-256 digests, and the padding of RS256 where the key is RSA.
void expect_digests(EVP_PKEY_CTX* context, Algorithm algorithm) {
  need_ok(EVP_PKEY_CTX_set_signature_md(context, fetched_sha256()), "signature");
  if (algorithm == Algorithm::rs256) need_ok(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), "signature");
}

/// r || s of an ASN.1 signature as OpenSSL writes it.
std::string to_jose(std::string_view asn1) {
  const unsigned char* at = octets(asn1);
  const EcdsaSignature signature{need(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(asn1.size())), "ECDSA")};
  std::string raw(2 * es256_half, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  const int width = es256_half;
  const bool fits = BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, width) == width &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + width, width) == width;
  if (!fits) throw_openssl("ECDSA");
  return raw;
}

/// The ASN.1 form that OpenSSL checks; nothing when `raw` is not two numbers of 32 bytes.
std::optional<std::string> to_asn1(std::string_view raw) {
  if (raw.size() != 2 * es256_half) return std::nullopt;
  const EcdsaSignature signature{need(ECDSA_SIG_new(), "ECDSA")};
  BigNumber r{need(BN_bin2bn(octets(raw), es256_half, nullptr), "ECDSA")};
  BigNumber s{need(BN_bin2bn(octets(raw) + es256_half, es256_half, nullptr), "ECDSA")};
  need_ok(ECDSA_SIG_set0(signature.get(), r.release(), s.release()), "ECDSA");
  unsigned char* made = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &made);
  if (size <= 0) throw_openssl("ECDSA");
  std::string asn1(reinterpret_cast<const char*>(made), static_cast<std::size_t>(size));
  OPENSSL_free(made);
  return asn1;
}

}  // namespace

// One of the two, after the algorithm: RSA and ECDSA work on our digest with a context that was
// set up once; Ed25519 takes the whole message, and its context begins anew each time.
struct Signer::Context {
  KeyContext digests;
  DigestContext messages;
};

Signer::Signer(PrivateKey key) : key_(std::move(key)), context_(std::make_unique<Context>()) {
  EVP_PKEY* object = key_.public_key().state_->object();
  if (key_.algorithm() == Algorithm::eddsa) {
    context_->messages.reset(need(EVP_MD_CTX_new(), "signature"));
    return;
  }
  context_->digests.reset(need(EVP_PKEY_CTX_new_from_pkey(nullptr, object, nullptr), "signature"));
  need_ok(EVP_PKEY_sign_init(context_->digests.get()), "signature");
  expect_digests(context_->digests.get(), key_.algorithm());
}

Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

std::string Signer::sign(std::string_view message) {
  EVP_PKEY* object = key_.public_key().state_->object();
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(object)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  std::size_t size = signature.size();
  if (key_.algorithm() == Algorithm::eddsa) {
    need_ok(EVP_DigestSignInit(context_->messages.get(), nullptr, nullptr, nullptr, object), "signature");
    need_ok(EVP_DigestSign(context_->messages.get(), out, &size, octets(message), message.size()), "signature");
  } else {
    const Digest digest = sha256(message);
    const int ok = EVP_PKEY_sign(context_->digests.get(), out, &size, octets(digest.view()), digest.bytes.size());
    need_ok(ok, "signature");
  }
  signature.resize(size);
  return key_.algorithm() == Algorithm::es256 ? to_jose(signature) : signature;
}

struct Verifier::Context {
  KeyContext digests;
  DigestContext messages;
};

Verifier::Verifier(PublicKey key) : key_(std::move(key)), context_(std::make_unique<Context>()) {
  if (key_.algorithm() == Algorithm::eddsa) {
    context_->messages.reset(need(EVP_MD_CTX_new(), "signature"));
    return;
  }
  context_->digests.reset(need(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.state_->object(), nullptr), "signature"));
  need_ok(EVP_PKEY_verify_init(context_->digests.get()), "signature");
  expect_digests(context_->digests.get(), key_.algorithm());
}

Verifier::~Verifier() = default;
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;

bool Verifier::verify(std::string_view message, std::string_view signature) {
  int answer = 0;
  if (key_.algorithm() == Algorithm::eddsa) {
    EVP_MD_CTX* context = context_->messages.get();
    need_ok(EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key_.state_->object()), "signature");
    answer = EVP_DigestVerify(context, octets(signature), signature.size(), octets(message), message.size());
  } else {
    std::optional<std::string> asn1;
    if (key_.algorithm() == Algorithm::es256) {
      asn1 = to_asn1(signature);
      if (!asn1) return false;
      signature = *asn1;
    }
    const Digest digest = sha256(message);
    answer = EVP_PKEY_verify(context_->digests.get(), octets(signature), signature.size(), octets(digest.view()),
                             digest.bytes.size());
  }
  if (answer != 1) ERR_clear_error();  // a wrong signature is an answer here, not an error
  return answer == 1;
}

}  // namespace troupe::crypto
