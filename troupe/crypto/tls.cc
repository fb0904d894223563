// OpenSSL between two texts: a BIO that reads what was fed, in place, and appends what leaves.
#include "troupe/crypto/tls.h"

#include <algorithm>
#include <ctime>

#include "troupe/base/check.h"
#include "troupe/crypto/openssl.h"

namespace troupe::crypto {
namespace {

using SslContext = base::Handle<SSL_CTX, SSL_CTX_free>;
using Ssl = base::Handle<SSL, SSL_free>;
using Certificate = base::Handle<X509, X509_free>;

constexpr unsigned char http1[] = "\x08http/1.1";  // a list of ALPN (RFC 7301, 3.1)

// ---- the BIO ----

/// What a session reads from and writes to.
struct Wire {
  std::span<const char> incoming;
  std::string outgoing;
};

Wire& wire_of(BIO* bio) noexcept { return *static_cast<Wire*>(BIO_get_data(bio)); }

int read_wire(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  auto& incoming = wire_of(bio).incoming;
  if (incoming.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  auto taken = incoming.first(std::min(static_cast<std::size_t>(size), incoming.size()));
  std::ranges::copy(taken, into);
  incoming = incoming.subspan(taken.size());
  return static_cast<int>(taken.size());
}

int write_wire(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  wire_of(bio).outgoing.append(bytes, static_cast<std::size_t>(size));
  return size;
}

long control_wire(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* wire_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = need(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "troupe"), "a BIO");
    BIO_meth_set_read(made, read_wire);
    BIO_meth_set_write(made, write_wire);
    BIO_meth_set_ctrl(made, control_wire);
    return made;
  }();
  return method;
}

// ---- contexts ----

std::unexpected<std::string> refused(std::string_view what) {
  char reason[256] = "";
  if (const unsigned long code = ERR_peek_last_error(); code != 0) {
    ERR_error_string_n(code, reason, sizeof reason);
  }
  ERR_clear_error();
  std::string text{what};
  if (reason[0] != '\0') text.append(" (").append(reason).append(")");
  return std::unexpected(std::move(text));
}

/// Nobody is asked for a passphrase: the process may have no terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Bio reader_of(std::string_view text) {
  return Bio{need(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "a BIO")};
}

/// The next certificate of a PEM text; null at its end, or where it cannot be read.
Certificate next_certificate(BIO* pem) { return Certificate{PEM_read_bio_X509(pem, nullptr, no_passphrase, nullptr)}; }

/// Whether the last failure to read PEM was its end.
bool at_end_of_pem() {
  const auto code = ERR_peek_last_error();
  const bool end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
  if (end) ERR_clear_error();
  return end;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  const int answer = SSL_select_next_proto(&found, size, http1, sizeof http1 - 1, offered, offered_size);
  if (answer != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301, 3.2
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

/// What both roles have: TLS 1.2 with forward secrecy and authenticated encryption, or 1.3 (RFC 9325).
SslContext new_context(const SSL_METHOD* method) {
  SslContext context{need(SSL_CTX_new(method), "a TLS context")};
  need_ok(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION), "TLS 1.2");
  need_ok(SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20"), "the ciphers of TLS 1.2");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection keeps no buffers; what is written may have moved when it is tried again.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets resume, and cost us nothing
  return context;
}

base::UnixTime end_of(const X509* certificate) {
  std::tm parts{};
  need_ok(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts), "the time of a certificate");
  return base::UnixTime{static_cast<std::int64_t>(::timegm(&parts)) * 1000};
}

}  // namespace

struct TlsContext::State {
  SslContext context;
  std::string server_name;  // a client's
};

TlsContext::TlsContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsContext::~TlsContext() = default;

TlsContext::Made TlsContext::server(std::string_view chain_pem, const base::Secret<std::string>& key_pem) {
  ERR_clear_error();
  SslContext context = new_context(TLS_server_method());
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);

  const Bio chain = reader_of(chain_pem);
  const Certificate own = next_certificate(chain.get());
  if (!own) return refused("the certificate is no PEM");
  if (SSL_CTX_use_certificate(context.get(), own.get()) != 1) return refused("the certificate cannot be used");
  while (const Certificate between = next_certificate(chain.get())) {
    if (SSL_CTX_add1_chain_cert(context.get(), between.get()) != 1) return refused("the chain cannot be used");
  }
  if (!at_end_of_pem()) return refused("the chain behind the certificate is no PEM");

  const Bio key_text = reader_of(key_pem.expose());
  const KeyHandle key{PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_passphrase, nullptr)};
  if (!key) return refused("the key is no PEM of a private key without a passphrase");
  // OpenSSL has a place for each type of key, so one of another type would stand beside the certificate, for nothing.
  const bool fits = X509_check_private_key(own.get(), key.get()) == 1;
  if (!fits || SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
    return refused("the key is not the certificate's");

  auto made = std::shared_ptr<TlsContext>{new TlsContext(std::make_unique<State>(std::move(context)))};
  made->expires_at_ = end_of(own.get());
  return made;
}

TlsContext::Made TlsContext::client(std::string_view roots_pem, std::string server_name) {
  ERR_clear_error();
  SslContext context = new_context(TLS_client_method());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const int failed = SSL_CTX_set_alpn_protos(context.get(), http1, sizeof http1 - 1);
  INVARIANT(failed == 0, "a list of one protocol");
  const Bio roots = reader_of(roots_pem);
  bool any = false;
  while (const Certificate root = next_certificate(roots.get())) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get()) != 1)
      return refused("a root is no good");
    any = true;
  }
  if (!at_end_of_pem() || !any) return refused("the roots are no PEM");
  return std::shared_ptr<TlsContext>{
      new TlsContext(std::make_unique<State>(std::move(context), std::move(server_name)))};
}

// ---- sessions ----

struct TlsSession::State {
  Wire wire;
  Ssl ssl;
  unsigned long error = 0;  // OpenSSL's first word about what has failed
  bool established = false;
  bool failed = false;
};

TlsSession::TlsSession(const TlsContext& context) : state_(std::make_unique<State>()) {
  const auto& [shared, server_name] = *context.state_;
  state_->ssl = Ssl{need(SSL_new(shared.get()), "a TLS session")};
  SSL* ssl = state_->ssl.get();
  BIO* bio = need(BIO_new(wire_method()), "a BIO");
  BIO_set_data(bio, &state_->wire);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);  // takes it
  if (server_name.empty()) {
    SSL_set_accept_state(ssl);
    return;
  }
  SSL_set_connect_state(ssl);
  need_ok(SSL_set1_host(ssl, server_name.c_str()), "a server's name");
  need_ok(static_cast<int>(SSL_set_tlsext_host_name(ssl, server_name.c_str())), "a server's name");
}

TlsSession::~TlsSession() = default;

void TlsSession::feed(std::span<const char> bytes) noexcept { state_->wire.incoming = bytes; }
std::span<const char> TlsSession::unread() const noexcept { return state_->wire.incoming; }
bool TlsSession::holds_bytes() const noexcept { return SSL_has_pending(state_->ssl.get()) == 1; }
bool TlsSession::is_established() const noexcept { return state_->established; }
std::string& TlsSession::outgoing() noexcept { return state_->wire.outgoing; }

TlsSession::Received TlsSession::receive(std::span<char> into) {
  if (state_->failed) return {Step::failed};
  ERR_clear_error();
  std::size_t bytes = 0;
  const bool shaking = !is_established();
  const int answer =
      shaking ? SSL_do_handshake(state_->ssl.get()) : SSL_read_ex(state_->ssl.get(), into.data(), into.size(), &bytes);
  if (answer == 1) {
    state_->established = true;
    return {shaking ? Step::established : Step::bytes, bytes};
  }
  const int error = SSL_get_error(state_->ssl.get(), answer);
  const unsigned long first = ERR_peek_error();
  ERR_clear_error();
  // Half a message of another handshake (a renegotiation, or a KeyUpdate in two records) leaves a session that cannot
  // write until its other half comes; nobody but an attacker sends such.
  const bool half_way = !shaking && SSL_is_init_finished(state_->ssl.get()) != 1;
  if (error == SSL_ERROR_WANT_READ && !half_way) return {Step::wants};
  if (error == SSL_ERROR_ZERO_RETURN) return {Step::finished};
  state_->failed = true;
  state_->error = first;
  return {Step::failed};
}

TlsSession::Failure TlsSession::failure() const {
  if (!state_->failed) return {};
  if (const long verified = SSL_get_verify_result(state_->ssl.get()); verified != X509_V_OK)
    return {Failure::Of::certificate, X509_verify_cert_error_string(verified)};
  const char* words = ERR_reason_error_string(state_->error);
  return {Failure::Of::protocol, words != nullptr ? words : "no agreement"};
}

void TlsSession::greet() {
  ERR_clear_error();
  (void)SSL_do_handshake(state_->ssl.get());  // says hello, and wants the answer
  ERR_clear_error();
}

bool TlsSession::send(std::string_view bytes) {
  if (state_->failed) return false;
  ERR_clear_error();
  while (!bytes.empty()) {
    std::size_t taken = 0;
    const int answer = SSL_write_ex(state_->ssl.get(), bytes.data(), bytes.size(), &taken);
    if (answer != 1) {
      ERR_clear_error();
      state_->failed = true;
      return false;
    }
    bytes.remove_prefix(taken);
  }
  return true;
}

void TlsSession::finish() {
  if (state_->failed || !is_established()) return;  // there is nobody to tell yet, or any more
  ERR_clear_error();
  (void)SSL_shutdown(state_->ssl.get());
  ERR_clear_error();
}

}  // namespace troupe::crypto
