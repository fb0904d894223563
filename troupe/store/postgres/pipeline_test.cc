// The connection of a session as who waits for its socket sees it.
#include "troupe/store/postgres/pipeline.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <system_error>

#include "troupe/store/postgres/testing/postgres_server.h"

namespace troupe::store {
namespace {

using test::PostgresServer;

/// Holds its thread, and notes the sockets that it is to wait for and to forget.
class NotingWait final : public SocketWait {
 public:
  Waited wait(int socket, actor::IoEvents interest, base::Duration at_most) override {
    waited_for = socket;
    if (breaks) throw std::system_error{ENOSPC, std::generic_category()};
    return blocking_.wait(socket, interest, at_most);
  }
  void forget(int socket) noexcept override { forgotten.push_back(socket); }

  int waited_for = -1;
  bool breaks = false;
  std::vector<int> forgotten;

 private:
  BlockingWait blocking_;
};

/// A server, and a connection to it that has been used.
struct Bench {
  PostgresServer& server = PostgresServer::of_this_process();
  NotingWait wait;
  std::optional<Pipeline> pipeline{std::in_place, server.options("postgres")};

  Bench() {
    pipeline->wait_by(wait);
    pipeline->send_once("SELECT 1");
    (void)pipeline->settle();
    REQUIRE_GE(wait.waited_for, 0);
  }
  /// That of the one socket, once.
  std::vector<int> number() const { return {wait.waited_for}; }
};

TEST_CASE("the socket of a connection that ends while an answer is awaited is forgotten by its number, and once") {
  Bench bench;
  bench.pipeline->send_once("SELECT pg_sleep(60)");
  bench.pipeline->flush();
  bench.server.crash();
  CHECK_THROWS_AS((void)bench.pipeline->settle(), Error);
  CHECK_EQ(bench.wait.forgotten, bench.number());
  CHECK(bench.pipeline->is_closed());
  bench.pipeline.reset();
  CHECK_EQ(bench.wait.forgotten, bench.number());
  bench.server.start();
}

TEST_CASE("the socket of a connection that ended while nobody used it is forgotten by who finds that") {
  Bench bench;
  CHECK_FALSE(bench.pipeline->is_closed());
  bench.server.crash();
  CHECK(bench.pipeline->is_closed());
  CHECK_EQ(bench.wait.forgotten, bench.number());
  bench.pipeline.reset();
  CHECK_EQ(bench.wait.forgotten, bench.number());
  bench.server.start();
}

TEST_CASE("a socket that cannot be waited for is a connection that is lost") {
  Bench bench;
  bench.wait.breaks = true;
  bench.pipeline->send_once("SELECT pg_sleep(0.1)");
  CHECK_THROWS_AS((void)bench.pipeline->settle(), Error);
  CHECK(bench.pipeline->is_lost());
}

TEST_CASE("the socket of a connection that is given up, or done with, is forgotten before it is closed") {
  for (const bool is_given_up : {false, true}) {
    Bench bench;
    if (is_given_up) bench.pipeline->give_up();
    CHECK(bench.wait.forgotten.empty());
    bench.pipeline.reset();
    CHECK_EQ(bench.wait.forgotten, bench.number());
  }
}

}  // namespace
}  // namespace troupe::store
