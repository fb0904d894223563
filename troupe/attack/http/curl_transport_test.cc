// The real way to a server, against a child process that answers every connection with the same bytes.
#include "troupe/attack/http/curl_transport.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using namespace troupe::attack;

namespace {

constexpr std::string_view canned =
    "HTTP/1.1 418 Teapot\r\nContent-Length: 3\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nConnection: close\r\n\r\nyes";

/// Answers on a free port of 127.0.0.1 as long as the value lives.
class Parrot {
 public:
  Parrot() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener, 64) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    origin = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    child_ = ::fork();
    if (child_ == 0) serve(listener);
    ::close(listener);
  }
  ~Parrot() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  std::string origin;

 private:
  [[noreturn]] static void serve(int listener) {
    while (true) {
      const int connection = ::accept(listener, nullptr, nullptr);
      char some[4096];
      if (::read(connection, some, sizeof some) < 0 || ::write(connection, canned.data(), canned.size()) < 0)
        ::_exit(1);
      ::close(connection);
    }
  }

  pid_t child_ = -1;
};

}  // namespace

TEST_CASE("many requests at once are answered in their order, with every field and the body") {
  const Parrot parrot;
  const auto transport = curl_transport({});
  std::vector<Request> requests(20, Request{.url = parrot.origin + "/x"});
  requests.push_back({"POST", parrot.origin + "/y", {{"Authorization", "Basic x"}}, "a=1"});
  requests.push_back({.url = "http://127.0.0.1:1/"});
  const auto answers = transport->send_at_once(requests);
  REQUIRE(answers.size() == 22);
  for (std::size_t i = 0; i < 21; ++i) {
    CHECK_EQ(answers[i].status, 418);
    CHECK_EQ(answers[i].body, "yes");
    CHECK(answers[i].all("Set-Cookie") == std::vector<std::string>{"a=1", "b=2"});
    CHECK_EQ(answers[i].field("CONTENT-LENGTH"), "3");
  }
  CHECK_EQ(answers[21].status, 0);
  CHECK_FALSE(answers[21].failure.empty());
}

TEST_CASE("bytes go out as they are, and what comes back is all of it") {
  const Parrot parrot;
  const auto transport = curl_transport({});
  CHECK_EQ(transport->send_raw(parrot.origin, "no HTTP\r\n\r\n"), canned);
  CHECK_EQ(transport->send_raw("http://127.0.0.1:1", "x"), "");
}
