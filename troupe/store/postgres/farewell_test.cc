// What a session makes of a connection that the server ends at a commit.
#include "troupe/store/postgres/testing/farewell_proxy.h"

#include <doctest/doctest.h>

namespace troupe::store {
namespace {

using test::Farewell;
using test::FarewellProxy;
using test::PostgresServer;

struct Bench {
  PostgresServer& server = PostgresServer::of_this_process();
  std::string database = server.make_database();
  FarewellProxy proxy;
  std::unique_ptr<Session> session;

  explicit Bench(Farewell farewell) : proxy(server, farewell) {
    server.session(database)->transact([](Transaction& t) { t.script("CREATE TABLE items (id INTEGER PRIMARY KEY)"); });
    session = postgres_engine(proxy.options(database))->open();
  }
  void write() const {
    session->transact([](Transaction& t) { t.run("INSERT INTO items VALUES (1)"); });
  }
  std::int64_t count() const {
    return server.session(database)->transact([](Transaction& t) {
      return t.first("SELECT count(*) FROM items", {}, [](const Row& row) { return row.integer(0); }).value();
    });
  }
};

TEST_CASE("a commit that the server has confirmed is done, also where the connection ends right behind the answer") {
  const Bench bench{Farewell::behind_commit};
  CHECK_NOTHROW(bench.write());
  CHECK_FALSE(bench.session->is_usable());
  CHECK_EQ(bench.count(), 1);
}

TEST_CASE("a commit that the server's farewell stands in place of is unknown, and the farewell is told") {
  const Bench bench{Farewell::in_place_of_commit};
  try {
    bench.write();
    FAIL("no word of the lost connection");
  } catch (const Error& error) {
    CHECK_EQ(error.failure(), Failure::unknown);
    CHECK_EQ(std::string_view{error.what()},
             "postgresql: FATAL:  terminating connection due to administrator command, in the middle of a commit");
  }
  CHECK_FALSE(bench.session->is_usable());
  CHECK_EQ(bench.count(), 1);
}

}  // namespace
}  // namespace troupe::store
