// Fetching from a server on this machine's own sockets: what is let through, what is bounded, and what is refused.
#include "troupe/web/fetch.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/actor/offload/offload.h"
#include "troupe/crypto/testing/certificates.h"
#include "troupe/net/tls_listener.h"
#include "troupe/web/fetcher.h"
#include "troupe/web/http_server.h"

namespace troupe::web {
namespace {

using namespace std::chrono_literals;

enum class Speaks : std::uint8_t { plainly, tls };

struct Hit {};
struct GetHits {
  using reply = int;
};
class Counter {
 public:
  void handle(Hit) { ++hits_; }
  int handle(GetHits) const { return hits_; }

 private:
  int hits_ = 0;
};

/// Somebody's server: what it is asked, it counts.
struct Site {
  explicit Site(Speaks speaks = Speaks::plainly) {
    HttpServerOptions options;
    contexts.publish(crypto::TlsContext::server(crypto::testing::first_certificate,
                                                base::Secret<std::string>{std::string{crypto::testing::first_key}})
                         .value());
    options.listen = [speaks, reader = contexts](actor::Core& core) {
      auto plain = net::listen_tcp(core, *net::Endpoint::parse("127.0.0.1:0"));
      return speaks == Speaks::tls ? net::listen_tls(core, std::move(plain), reader.reader()) : std::move(plain);
    };
    options.routes = [counter = counter](Router& router, actor::Context&) { add_routes(router, counter); };
    auto server = system.spawn<HttpServer>({}, std::move(options));
    port = system.block_on(server.ask(GetAddress{})).value().port;
  }
  ~Site() { system.shutdown(); }

  static void add_routes(Router& router, actor::Ref<Counter> counter) {
    const auto add = [&](Method method, const char* path, Handler handler) {
      router.add(method, path, [counter, handler = std::move(handler)](Request request) {
        counter.tell(Hit{});
        return handler(std::move(request));
      });
    };
    add(Method::get, "/keys", [](Request) -> actor::Task<Response> { co_return json_response(200, R"({"keys":[]})"); });
    add(Method::post, "/told", [](Request request) -> actor::Task<Response> {
      co_return text_response(200, fmt::format("{} {}", request.header("content-type"), request.body));
    });
    add(Method::get, "/moved", [](Request) -> actor::Task<Response> { co_return redirect(302, "/keys"); });
    add(Method::get, "/large",
        [](Request) -> actor::Task<Response> { co_return text_response(200, std::string(10 * 1024 * 1024, 'x')); });
    add(Method::post, "/talkative",
        [](Request) -> actor::Task<Response> { co_return text_response(202, std::string(1024 * 1024, 'x')); });
    add(Method::get, "/wordy", [](Request) -> actor::Task<Response> {
      Response response = text_response(200, "");
      for (int i = 0; i < 20; ++i) response.headers.add(fmt::format("X-{}", i), std::string(1000, 'x'));
      co_return response;
    });
    add(Method::get, "/slow", [](Request) -> actor::Task<Response> {
      co_await actor::sleep(2s);
      co_return text_response(200, "");
    });
  }

  std::string url(const char* path, const char* host = "127.0.0.1", const char* scheme = "http") const {
    return fmt::format("{}://{}:{}{}", scheme, host, port, path);
  }

  int asked() { return system.block_on(counter.ask(GetHits{})).value(); }

  base::Published<crypto::TlsContext> contexts;
  actor::System system{{.cores = 1}};
  actor::Ref<Counter> counter = system.spawn<Counter>({.name = "counter"});
  std::uint16_t port = 0;
};

FetchRules allowing(const char* network) { return {.unsafe_allowed = {*net::Network::parse(network)}}; }

TEST_CASE("what is allowed is asked, and its answer comes back") {
  Site site;
  const auto keys = fetch_and_wait({.url = site.url("/keys")}, allowing("127.0.0.0/8"));
  REQUIRE(keys);
  CHECK_EQ(keys->status, 200);
  CHECK_EQ(keys->body, R"({"keys":[]})");
  const auto told =
      fetch_and_wait({site.url("/told"), "application/x-www-form-urlencoded", "a=1"}, allowing("127.0.0.1"));
  REQUIRE(told);
  CHECK_EQ(told->body, "application/x-www-form-urlencoded a=1");
  CHECK_EQ(fetch_and_wait({.url = site.url("/nothing")}, allowing("127.0.0.1")).value().status, 404);
}

TEST_CASE("an address of the inside is not even connected to, by whatever name it goes (T51)") {
  Site site;
  const FetchRules elsewhere = allowing("192.0.2.0/24");  // so that plain http is spoken at all
  for (const char* host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"}) {
    CAPTURE(host);
    const auto refused = fetch_and_wait({.url = site.url("/keys", host)}, elsewhere);
    REQUIRE_FALSE(refused);
    const bool is_refused = refused.error() == FetchFault::forbidden_address || refused.error() == FetchFault::bad_url;
    CHECK(is_refused);
    CHECK_EQ(fetch_and_wait({.url = site.url("/keys", host, "https")}, {}).error(), refused.error());
  }
  CHECK_EQ(fetch_and_wait({.url = site.url("/keys", "localhost")}, elsewhere).error(), FetchFault::forbidden_address);
  CHECK_EQ(site.asked(), 0);
}

TEST_CASE("only https is spoken, save to an address that is allowed in spite of all") {
  for (const char* url : {"http://example.org/keys", "file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x",
                          "https://user:password@example.org/", "/etc/passwd", "", "https://"}) {
    CAPTURE(url);
    CHECK_EQ(fetch_and_wait({.url = url}, {}).error(), FetchFault::bad_url);
  }
}

TEST_CASE("a redirect is an answer like any other, and is not followed") {
  Site site;
  const auto moved = fetch_and_wait({.url = site.url("/moved")}, allowing("127.0.0.1"));
  REQUIRE(moved);
  CHECK_EQ(moved->status, 302);
  CHECK_EQ(site.asked(), 1);
}

TEST_CASE("answers are bounded in their head, their body and their time") {
  Site site;
  FetchRules rules = allowing("127.0.0.1");
  rules.within = 10s;
  CHECK_EQ(fetch_and_wait({.url = site.url("/large")}, rules).error(), FetchFault::too_large);
  CHECK_EQ(fetch_and_wait({.url = site.url("/wordy")}, rules).error(), FetchFault::too_large);
  rules.within = 300ms;
  CHECK_EQ(fetch_and_wait({.url = site.url("/slow")}, rules).error(), FetchFault::too_slow);
}

TEST_CASE("what was posted is taken with the status, however many words follow") {
  Site site;
  const auto told = fetch_and_wait({site.url("/talkative"), "application/json", "{}"}, allowing("127.0.0.1"));
  REQUIRE(told);
  CHECK_EQ(told->status, 202);
  CHECK_LE(told->body.size(), 64 * 1024);
}

TEST_CASE("a certificate that no root of the system has signed is not trusted, also where the address is allowed") {
  Site site{Speaks::tls};
  const auto seen = fetch_and_wait({.url = site.url("/keys", "127.0.0.1", "https")}, allowing("127.0.0.1"));
  REQUIRE_FALSE(seen);
  CHECK_EQ(seen.error(), FetchFault::untrusted);
  CHECK_EQ(site.asked(), 0);
}

TEST_CASE("nobody there is unreachable") {
  CHECK_EQ(fetch_and_wait({.url = "http://127.0.0.1:1/"}, allowing("127.0.0.1")).error(), FetchFault::unreachable);
}

TEST_CASE("the actor fetches on threads of its own, and counts") {
  Site site;
  auto threads = std::shared_ptr{actor::thread_offload({.threads = 2, .queued_max = 8})};
  auto fetcher = site.system.spawn<Fetcher>(fetcher_options(), FetcherOptions{allowing("127.0.0.1"), threads});
  const auto keys = site.system.block_on(fetcher.ask(Fetch{.url = site.url("/keys")}));
  REQUIRE(keys);
  CHECK_EQ(keys->status, 200);
  const auto refused = site.system.block_on(fetcher.ask(Fetch{.url = "https://10.0.0.1/"}));
  REQUIRE_FALSE(refused);
  CHECK_EQ(refused.error().domain, FetchFault::forbidden_address);
}

}  // namespace
}  // namespace troupe::web
