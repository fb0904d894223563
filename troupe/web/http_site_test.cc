// What operators learn of answers with 5xx: failures are counted and told with their request, refusals counted apart.
#include "troupe/web/http_site.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "troupe/actor/sim/world.h"
#include "troupe/base/log.h"
#include "troupe/net/memory_network.h"
#include "troupe/web/http_server.h"
#include "troupe/web/testing/test_client.h"

namespace troupe::web {
namespace {

const net::Endpoint address = *net::Endpoint::parse("127.0.0.1:80");

void add_routes(Router& router, actor::Context&) {
  router.add(Method::get, "/away",
             [](Request) -> actor::Task<Response> { co_return problem(503, "the database is away"); });
  router.add(Method::get, "/full", [](Request) -> actor::Task<Response> {
    auto response = problem(503, "all places are taken");
    response.refusal = Refusal::limit;
    co_return response;
  });
  router.add(Method::get, "/throws", [](Request) -> actor::Task<Response> {
    throw std::runtime_error("boom");
    co_return Response{};
  });
}

/// A world with one server that counts in `metrics`.
struct Site {
  Site() : network(world.core(0), {}) {
    HttpServerOptions options;
    options.listen = [this](actor::Core&) { return network.listen(address); };
    options.routes = add_routes;
    options.metrics = &metrics;
    server = world.spawn<HttpServer>({}, options);
    world.run_until_idle();
  }
  // The server's listener must be gone before the network.
  ~Site() { world.shutdown(); }

  std::string get(std::string_view target, std::string_view version = "1.1") {
    testing::TestClient client{network.connect(address)};
    client.send(fmt::format("GET {} HTTP/{}\r\nHost: a\r\n\r\n", target, version));
    world.run_until_idle();
    return client.take();
  }
  bool counted(std::string_view line) const { return metrics.scrape().contains(line); }

  base::Metrics metrics;
  actor::test::World world{7};
  net::MemoryNetwork network;
  actor::Ref<HttpServer> server;
};

std::string request_id_of(std::string_view response) {
  constexpr std::string_view name = "\r\nX-Request-Id: ";
  const auto begin = response.find(name);
  if (begin == std::string_view::npos) return "none";
  const auto rest = response.substr(begin + name.size());
  return std::string{rest.substr(0, rest.find('\r'))};
}

}  // namespace

TEST_CASE("an answer that is a failure is told once, by the id that the client got and without its query") {
  Site site;
  base::log::Capture log;
  const auto response = site.get("/away?token=secret");
  const std::string line = "message=\"a request failed\" method=GET path=/away status=503 request=";
  CHECK(log.contains(line + request_id_of(response)));
  CHECK_EQ(std::ranges::count_if(log.lines(), [](const std::string& one) { return one.contains("failed"); }), 1);
  CHECK_FALSE(log.contains("secret"));
  CHECK(site.counted("troupe_http_responses_total{status=\"5xx\"} 1\n"));
}

TEST_CASE("a handler that throws is told by its own line alone") {
  Site site;
  base::log::Capture log;
  CHECK(site.get("/throws").starts_with("HTTP/1.1 500 "));
  CHECK(log.contains("a handler failed"));
  CHECK_FALSE(log.contains("a request failed"));
  CHECK(site.counted("troupe_http_responses_total{status=\"5xx\"} 1\n"));
}

TEST_CASE("what is refused on purpose is no failure: it is counted by its reason, and the log says nothing") {
  Site site;
  base::log::Capture log;
  CHECK(site.get("/full").starts_with("HTTP/1.1 503 "));
  CHECK(site.get("/full", "2.0").starts_with("HTTP/1.1 505 "));
  site.server.tell(Drain{});
  site.world.run_until_idle();
  CHECK(site.get("/away").starts_with("HTTP/1.1 503 "));
  CHECK_FALSE(log.contains("failed"));
  for (const auto* reason : {"limit", "malformed", "draining"}) {
    CAPTURE(reason);
    CHECK(site.counted(fmt::format("troupe_http_refused_total{{reason=\"{}\"}} 1\n", reason)));
  }
  CHECK(site.counted("troupe_http_responses_total{status=\"5xx\"} 0\n"));
}

}  // namespace troupe::web
