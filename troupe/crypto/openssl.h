// OpenSSL as this house uses it: owners for its objects, its algorithms fetched once, its
// errors as exceptions. The only file that includes OpenSSL's headers; only *.cc files of
// crypto/ include it.
//
// Fetching an algorithm by name is slow and takes locks inside OpenSSL, so each is fetched
// once in the life of the process and shared; the fetched objects are immutable.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdexcept>
#include <string>
#include <string_view>

#include "troupe/base/handle.h"

namespace troupe::crypto {

using BigNumber = base::Handle<BIGNUM, BN_clear_free>;
using Bio = base::Handle<BIO, BIO_free>;
using EcdsaSignature = base::Handle<ECDSA_SIG, ECDSA_SIG_free>;
using MacContext = base::Handle<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using DigestContext = base::Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using KeyContext = base::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using KeyHandle = base::Handle<EVP_PKEY, EVP_PKEY_free>;
using Params = base::Handle<OSSL_PARAM, OSSL_PARAM_free>;
using ParamBuilder = base::Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;

/// Throws std::runtime_error with OpenSSL's newest error and empties this thread's error queue.
[[noreturn]] inline void throw_openssl(const char* what) {
  char text[256] = "no reason given";
  const unsigned long code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  throw std::runtime_error(std::string{"OpenSSL: "} + what + ": " + text);
}

/// `object`, or an exception when OpenSSL gave none.
template <class T>
T* need(T* object, const char* what) {
  if (object == nullptr) throw_openssl(what);
  return object;
}

/// Throws unless OpenSSL answered 1, its sign of success.
inline void need_ok(int answer, const char* what) {
  if (answer != 1) throw_openssl(what);
}

inline const EVP_MD* fetched_sha256() {
  static const EVP_MD* const digest = need(EVP_MD_fetch(nullptr, "SHA256", nullptr), "SHA-256");
  return digest;
}

inline EVP_MAC* fetched_hmac() {
  static EVP_MAC* const mac = need(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "HMAC");
  return mac;
}

inline const unsigned char* octets(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace troupe::crypto
