// Floor of the `oauth` benches: HTTP/1.1 with keep-alive, one write an answer, no parser.
//
// GET is answered with a finished body. POST /oauth/token also makes one ES256 signature
// and answers with it: no server that issues signed tokens can do with less.
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <memory>
#include <string>

#include "bench/support/socket.h"
#include "troupe/base/handle.h"

namespace troupe::bench {
namespace {

using Key = base::Handle<EVP_PKEY, EVP_PKEY_free>;
using Signing = base::Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

std::string sign(EVP_PKEY* key, std::string_view text) {
  const Signing context{EVP_MD_CTX_new()};
  std::array<unsigned char, 128> signature{};
  std::size_t size = signature.size();
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes, text.size()) != 1) {
    die("ES256");
  }
  std::string encoded(256, '\0');
  encoded.resize(static_cast<std::size_t>(
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), signature.data(), static_cast<int>(size))));
  return encoded;
}

std::string answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

std::size_t body_size_of(std::string_view head) {
  constexpr std::string_view name = "Content-Length: ";
  const auto at = head.find(name);
  std::size_t size = 0;
  if (at != std::string_view::npos) std::from_chars(head.data() + at + name.size(), head.data() + head.size(), size);
  return size;
}

class HttpServer {
 public:
  [[noreturn]] void run() {
    poller_.add(listener_.fd(), EPOLLIN, nullptr);
    announce(listener_);
    while (true) {
      for (const auto& event : poller_.wait(-1)) {
        if (event.data.ptr == nullptr) {
          accept_all();
        } else {
          on_readable(*static_cast<Socket*>(event.data.ptr));
        }
      }
    }
  }

 private:
  void accept_all() {
    for (Socket socket = accept_one(listener_); socket.fd() >= 0; socket = accept_one(listener_)) {
      const int fd = socket.fd();
      poller_.add(fd, EPOLLIN, new Socket{std::move(socket)});
    }
  }

  /// The load generator sends a request in one write and waits for its answer, so a read has whole requests.
  void on_readable(Socket& socket) {
    const auto got = ::recv(socket.fd(), buffer_.data(), buffer_.size(), 0);
    if (got <= 0) {
      delete &socket;
      return;
    }
    std::string_view rest{buffer_.data(), static_cast<std::size_t>(got)};
    while (!rest.empty()) {
      const auto head = rest.find("\r\n\r\n");
      if (head == std::string_view::npos) return;
      const auto request = rest.substr(0, head + 4 + body_size_of(rest.substr(0, head + 2)));
      write_all(socket, request.starts_with("POST /oauth/token") ? answer(sign(key_.get(), request)) : document_);
      rest.remove_prefix(request.size());
    }
  }

  Socket listener_ = listen_on_loopback();
  Poller poller_;
  std::array<char, 65536> buffer_{};
  Key key_{EVP_EC_gen("P-256")};
  std::string document_ = answer(std::string(1000, 'd'));
};

}  // namespace
}  // namespace troupe::bench

int main() { std::make_unique<troupe::bench::HttpServer>()->run(); }
