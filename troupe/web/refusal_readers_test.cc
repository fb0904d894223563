// What is answered in the place of a handler: which pages of other origins may read it.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "troupe/actor/sim/world.h"
#include "troupe/net/memory_network.h"
#include "troupe/web/http_server.h"
#include "troupe/web/testing/test_client.h"

namespace troupe::web {
namespace {

constexpr std::string_view leave = "Access-Control-Allow-Origin: *\r\n";

const net::Endpoint address = *net::Endpoint::parse("127.0.0.1:80");

actor::Task<Response> throw_or_greet(Request request) {
  if (request.query == "throws") throw std::runtime_error("boom");
  co_return text_response(200, "hello");
}

/// A world with one server, whose route /open may be read by all and /closed by nobody else.
struct Site {
  explicit Site(GuardOptions guard = {}) : network(world.core(0), {}) {
    HttpServerOptions options{.guard = std::move(guard)};
    options.listen = [this](actor::Core&) { return network.listen(address); };
    options.routes = [](Router& router, actor::Context&) {
      router.add(Method::post, "/open", throw_or_greet,
                 {.body_bytes_max = 1000, .refusal_readers = RefusalReaders::all});
      router.add(Method::post, "/closed", throw_or_greet, {.body_bytes_max = 1000});
    };
    server = world.spawn<HttpServer>({}, options);
    world.run_until_idle();
  }
  ~Site() { world.shutdown(); }  // before the network goes

  std::string post(std::string_view target, std::size_t length = 0) {
    testing::TestClient client{network.connect(address)};
    client.send(fmt::format("POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", target, length));
    world.run_until_idle();
    return client.take();
  }

  actor::test::World world{7};
  net::MemoryNetwork network;
  actor::Ref<HttpServer> server;
};

TEST_CASE("what is answered in the place of a handler is for the pages that its route says, and no other word is") {
  struct Row {
    std::string_view path;
    bool is_readable;
  };
  constexpr Row rows[] = {{"/open", true}, {"/closed", false}, {"/nothing", false}};
  for (const auto& [path, is_readable] : rows) {
    CAPTURE(path);
    Site site{{.requests_by_address = {.per_second = 1, .burst = 2}}};
    const auto check = [&](const std::string& answer, std::string_view status) {
      CAPTURE(status);
      CHECK(answer.starts_with(fmt::format("HTTP/1.1 {} ", status)));
      CHECK_EQ(answer.contains(leave), is_readable);
      CHECK_EQ(answer.contains("Access-Control-Expose-Headers: Retry-After"), is_readable);
    };
    const bool is_there = path != "/nothing";
    CHECK_FALSE(site.post(path).contains(leave));  // its handler says itself whom it lets in
    if (is_there) check(site.post(path, 1001), "413");
    check(site.post(fmt::format("{}?throws", path)), is_there ? "500" : "404");
    check(site.post(path), "429");
    site.world.advance(std::chrono::seconds{5});
    site.server.tell(Drain{});
    site.world.run_until_idle();
    check(site.post(path), "503");
  }
}

}  // namespace
}  // namespace troupe::web
