// TLS as bytes: which certificates and keys make a context, and two sessions that speak to each
// other, cut as badly as can be.
#include "troupe/crypto/tls.h"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include <array>

#include "troupe/base/handle.h"
#include "troupe/crypto/testing/certificates.h"

namespace troupe::crypto {
namespace {

using Step = TlsSession::Step;
using namespace testing;
using namespace std::string_view_literals;

base::Secret<std::string> secret(std::string_view text) { return base::Secret<std::string>{std::string{text}}; }

std::shared_ptr<const TlsContext> server_context() {
  return TlsContext::server(first_certificate, secret(first_key)).value();
}
std::shared_ptr<const TlsContext> client_context(std::string_view roots = first_certificate,
                                                 std::string name = std::string{certificate_name}) {
  return TlsContext::client(roots, std::move(name)).value();
}

struct End {
  explicit End(const TlsContext& context) : session(context) {}

  /// Takes what the other says, in pieces of that size.
  void hear(End& other, std::size_t piece_bytes = SIZE_MAX) {
    std::string said = std::exchange(other.session.outgoing(), {});
    std::span<const char> rest{said};
    while (!rest.empty()) {
      auto piece = rest.first(std::min(piece_bytes, rest.size()));
      rest = rest.subspan(piece.size());
      session.feed(piece);
      std::array<char, 100> into;
      while (true) {
        auto [step, bytes] = session.receive(into);
        last = step;
        if (step == Step::bytes) received.append(into.data(), bytes);
        if (step != Step::bytes && step != Step::established) break;
      }
      if (last != Step::wants) return;
      CHECK(session.unread().empty());
    }
  }

  TlsSession session;
  std::string received;
  Step last = Step::wants;
};

void talk(End& client, End& server, std::size_t piece_bytes = SIZE_MAX) {
  for (int round = 0; round < 6; ++round) {
    server.hear(client, piece_bytes);
    client.hear(server, piece_bytes);
  }
}

TEST_CASE("two sessions agree and understand each other, however the bytes are cut") {
  for (std::size_t piece : {std::size_t{1}, std::size_t{100}, SIZE_MAX}) {
    auto here = server_context(), there = client_context();
    End server{*here}, client{*there};
    client.session.greet();
    talk(client, server, piece);
    REQUIRE(server.session.is_established());
    REQUIRE(client.session.is_established());
    const std::string words(50'000, 'w');
    CHECK(client.session.send(words));
    CHECK(server.session.send("hello"));
    talk(client, server, piece);
    CHECK(server.received == words);
    CHECK_EQ(client.received, "hello");
    client.session.finish();
    CHECK(server.session.send("still here"));
    talk(client, server, piece);
    CHECK_EQ(server.last, Step::finished);
    CHECK_EQ(client.received, "hellostill here");
  }
}

TEST_CASE("a client refuses a certificate that it does not trust, or of another name") {
  for (const auto& trust : {client_context(second_certificate), client_context(first_certificate, "other.example")}) {
    auto here = server_context();
    End server{*here}, client{*trust};
    client.session.greet();
    talk(client, server);
    CHECK_EQ(client.last, Step::failed);
    CHECK_EQ(server.last, Step::failed);
    CHECK_FALSE(client.session.is_established());
  }
}

/// A client of TLS 1.2 whose hellos take more than one record, made of OpenSSL itself.
class LongHello {
 public:
  LongHello() : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_max_send_fragment(context_.get(), 512);
    SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));  // it takes them
    SSL_set_connect_state(ssl_.get());
    SSL_set_tlsext_host_name(ssl_.get(), std::string(250, 'n').c_str());
  }
  void shake_hands(TlsSession& server) {
    std::array<char, 100> into;
    for (int round = 0; round < 6; ++round) {
      SSL_do_handshake(ssl_.get());
      auto words = said();
      server.feed(words);
      while (server.receive(into).step == Step::established) continue;
      auto answer = std::exchange(server.outgoing(), {});
      BIO_write(SSL_get_rbio(ssl_.get()), answer.data(), static_cast<int>(answer.size()));
    }
  }
  /// The hello of another handshake.
  std::string begin_anew() {
    SSL_renegotiate(ssl_.get());
    SSL_do_handshake(ssl_.get());
    return said();
  }

 private:
  std::string said() {
    std::string words(64 * 1024, '\0');
    int size = BIO_read(SSL_get_wbio(ssl_.get()), words.data(), static_cast<int>(words.size()));
    words.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return words;
  }
  base::Handle<SSL_CTX, SSL_CTX_free> context_;
  base::Handle<SSL, SSL_free> ssl_;
};

TEST_CASE("half of another handshake fails the session, which then writes nothing and throws nothing") {
  auto here = server_context();
  TlsSession server{*here};
  LongHello client;
  client.shake_hands(server);
  REQUIRE(server.is_established());
  CHECK(server.send("still well"));
  auto hello = client.begin_anew();
  REQUIRE_GT(hello.size(), 570);  // so there are two records
  server.feed(std::string_view{hello}.substr(0, hello.size() - 20));
  std::array<char, 100> into;
  CHECK_EQ(server.receive(into).step, Step::failed);
  CHECK_FALSE(server.send("an answer"));
}

TEST_CASE("a client knows why it has failed: the certificate, or what is no TLS") {
  using Of = TlsSession::Failure::Of;
  struct Row {
    std::string_view root;
    std::string name;
    std::string_view words;
  };
  const Row rows[] = {{second_certificate, std::string{certificate_name}, "certificate"},
                      {first_certificate, "other.example", "hostname mismatch"}};
  auto here = server_context();
  for (const Row& row : rows) {
    auto trust = TlsContext::client(row.root, row.name).value();
    End server{*here}, client{*trust};
    CHECK(client.session.failure().of == Of::nothing);
    client.session.greet();
    talk(client, server);
    CHECK(client.session.failure().of == Of::certificate);
    CHECK_MESSAGE(client.session.failure().words.contains(row.words), client.session.failure().words);
  }
  auto there = client_context();
  End client{*there};
  client.session.greet();
  client.session.feed("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"sv);
  std::array<char, 10> into;
  CHECK_EQ(client.session.receive(into).step, Step::failed);
  CHECK(client.session.failure().of == Of::protocol);
  CHECK_FALSE(client.session.failure().words.empty());
}

TEST_CASE("who speaks no TLS, or breaks it, fails") {
  auto here = server_context();
  for (std::string_view words : {"GET / HTTP/1.1\r\n\r\n"sv, "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"sv}) {
    End server{*here};
    server.session.feed(words);
    std::array<char, 10> into;
    CHECK_EQ(server.session.receive(into).step, Step::failed);
    CHECK_EQ(server.session.receive(into).step, Step::failed);
  }
  auto there = client_context();
  End server{*here}, client{*there};
  client.session.greet();
  talk(client, server);
  CHECK(client.session.send("secret"));
  client.session.outgoing()[10] ^= 1;
  server.hear(client);
  CHECK_EQ(server.last, Step::failed);
  CHECK(server.received.empty());
  CHECK_FALSE(server.session.send("nobody can read this"));
}

TEST_CASE("what makes no context is told with its reason") {
  struct Row {
    std::string_view certificate, key, problem;
  };
  const Row rows[] = {
      {"", first_key, "the certificate is no PEM"},
      {"hello", first_key, "the certificate is no PEM"},
      {first_key, first_key, "the certificate is no PEM"},
      {first_certificate, "", "the key is no PEM of a private key"},
      {first_certificate, locked_key, "the key is no PEM of a private key without a passphrase"},
      {first_certificate, second_key, "the key is not the certificate's"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.problem);
    auto made = TlsContext::server(row.certificate, secret(row.key));
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().starts_with(row.problem));
  }
  const std::string broken = std::string{first_certificate} + "-----BEGIN CERTIFICATE-----\nAAAA\n";
  CHECK(TlsContext::server(broken, secret(first_key)).error().starts_with("the chain"));
  CHECK_FALSE(TlsContext::client("", "x").has_value());
}

TEST_CASE("a key of another type than the certificate's is no key of it") {
  const base::Handle<EVP_PKEY, EVP_PKEY_free> rsa{EVP_RSA_gen(2048)};
  const base::Handle<BIO, BIO_free> text{BIO_new(BIO_s_mem())};
  REQUIRE_EQ(PEM_write_bio_PrivateKey(text.get(), rsa.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
  const char* bytes = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &bytes);
  const auto made = TlsContext::server(first_certificate, secret({bytes, static_cast<std::size_t>(size)}));
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().starts_with("the key is not the certificate's"));
}

TEST_CASE("a context says when its certificate ends, and may hold a chain") {
  const std::string chain = std::string{first_certificate} + std::string{second_certificate};
  auto made = TlsContext::server(chain, secret(first_key));
  REQUIRE(made.has_value());
  CHECK_GT((*made)->expires_at().milliseconds, 4'000'000'000'000);
}

}  // namespace
}  // namespace troupe::crypto
