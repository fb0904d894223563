// The whole server in one process, on real sockets: it starts on an empty folder, prepares
// its demo once, sends everybody away and ends well.
#include "troupe/app/platform/platform.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>

#include "troupe/actor/actor.h"
#include "troupe/app/command/command.h"
#include "troupe/app/command/open_store.h"
#include "troupe/app/config/check.h"
#include "troupe/app/openapi/openapi.h"
#include "troupe/app/platform/demo_people.h"
#include "troupe/app/platform/serve.h"
#include "troupe/base/log.h"
#include "troupe/base/testing/temporary_folder.h"
#include "troupe/net/socket_address.h"
#include "troupe/store/sqlite.h"
#include "troupe/wire/json.h"

using namespace troupe;
using namespace troupe::app;
using namespace std::chrono_literals;

namespace {

class Folder {
 public:
  Config config() const {
    Config config = development_defaults();
    config.server.data_dir = folder_.path() / "data";
    config.server.listen.port = 0;
    config.server.cores = 2;
    config.keys.algorithms = {crypto::Algorithm::es256};  // made in no time
    return config;
  }

 private:
  base::TemporaryFolder folder_;
};

/// "GET /path" for "get" and "/path".
std::string method_and(std::string_view method, std::string_view path) {
  std::string name{method};
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name + " " + std::string{path};
}

/// Whether a documented path is the route, or below its pattern that ends in '*'.
bool is_of(std::string_view documented, std::string_view route) {
  return route.ends_with("/*") ? documented.starts_with(route.substr(0, route.size() - 1)) : documented == route;
}

/// What the server at `address` answers to `GET path`, head and body.
std::string get(const net::Endpoint& address, const std::string& path) {
  auto where = net::SocketAddress::of(address);
  const net::Descriptor socket{::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  REQUIRE_EQ(::connect(socket.get(), where.get(), where.size()), 0);
  const auto request = "GET " + path + " HTTP/1.1\r\nHost: " + address.text() + "\r\nConnection: close\r\n\r\n";
  REQUIRE_EQ(::send(socket.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t n = 1; n > 0;) {
    n = ::recv(socket.get(), buffer, sizeof buffer, 0);
    if (n > 0) answer.append(buffer, static_cast<std::size_t>(n));
  }
  return answer;
}

struct Prepare {};
struct IsPrepared {
  using reply = bool;
};
/// A server that starts, beside the test's thread.
class Starting {
 public:
  explicit Starting(Config config) : config_(std::move(config)) {}
  actor::Task<void> handle(Prepare) {
    co_await actor::blocking([config = config_] { (void)prepare_store(config); });
    is_prepared_ = true;
  }
  bool handle(IsPrepared) const { return is_prepared_; }

 private:
  Config config_;
  bool is_prepared_ = false;
};

}  // namespace

TEST_CASE("a server starts on an empty folder, shows itself, drains and ends well") {
  const Folder folder;
  Config config = folder.config();
  const net::PortReservation port{config.server.listen};
  config.server.listen = port.address();
  config.realtime.drain_time = 0s;
  complete(config);
  auto store = prepare_store(config);
  const DemoClient demo = prepare_demo(config);
  Platform platform{config, std::move(store), port, demo};

  CHECK(get(port.address(), "/health/ready").starts_with("HTTP/1.1 200"));
  CHECK(get(port.address(), "/metrics").contains("\ntroupe_actors{type=\"TokenActor\"} 2\n"));
  CHECK(get(port.address(), "/metrics").contains("\ntroupe_shutdown_phase_state{phase=\"drain-connections\"} 0\n"));
  CHECK(get(port.address(), "/inspect").contains(R"("type":"MessageRouterActor")"));
  CHECK(get(port.address(), "/demo/client.json").contains(demo.client_id));
  CHECK(get(port.address(), "/.well-known/openid-configuration")
            .contains("\"issuer\":\"http://" + port.address().text() + "\""));

  int gone[2];
  REQUIRE_EQ(::pipe(gone), 0);
  const net::Descriptor told{gone[0]}, telling{gone[1]};
  const base::log::Capture log;
  platform.going_away().begin([&] { (void)!::write(telling.get(), "", 1); });
  char nothing;
  CHECK_EQ(::read(told.get(), &nothing, 1), 1);
  CHECK(platform.shutdown());
  std::vector<std::string> over;
  for (const auto& line : log.lines()) {
    if (line.contains("shutdown phase over")) over.push_back(line);
  }
  const char* const order[] = {"refuse", "drain-connections", "close-doors", "stop-services"};
  REQUIRE_EQ(over.size(), 6);
  for (std::size_t i = 0; i < std::size(order); ++i) CHECK(over[i].contains(order[i]));
  for (const auto* flush : {"flush-traces", "flush-store"}) CHECK(log.contains(flush));  // they run together
}

TEST_CASE("a server waits for who holds its database, as one who migrates it does, and a command says so") {
  const Folder folder;
  const Config config = folder.config();
  (void)prepare_store(config);
  store::SqliteConnection holder{{.path = config.server.data_dir + "/troupe.db"}};
  holder.script("BEGIN IMMEDIATE");
  const base::log::Capture log;
  actor::System system{{.cores = 1}};
  const auto server = system.spawn<Starting>({}, config);
  server.tell(Prepare{});
  CHECK_THROWS_WITH_AS(
      open_store(config, Missing::refuse),
      doctest::Contains("the database is held by another process, perhaps by one that migrates it; try again"),
      CommandFailed);
  while (!log.contains("waits for the database: another process holds it")) ::sched_yield();
  holder.script("ROLLBACK");
  CHECK(system.block_on(server.ask(IsPrepared{})).value());
}

TEST_CASE("a server whose history takes no writes is not ready, and says that it is the history") {
  const Folder folder;
  Config config = folder.config();
  const net::PortReservation port{config.server.listen};
  config.server.listen = port.address();
  config.realtime.drain_time = 0s;
  config.realtime.namespaces["orders"].options.durability = realtime::Durability::disk;
  complete(config);
  Platform platform{config, prepare_store(config), port, std::nullopt};
  store::SqliteConnection{{.path = config.server.data_dir + "/history.db"}}.script(
      "CREATE TRIGGER full BEFORE INSERT ON schema_migrations BEGIN SELECT RAISE(FAIL, 'the disk is full'); END");
  const auto answer = get(port.address(), "/health/ready");
  CHECK(answer.starts_with("HTTP/1.1 503"));
  CHECK(answer.contains(R"({"status":"not ready","history":"takes no writes"})"));
  CHECK(platform.shutdown());
}

TEST_CASE("the document of the routes has each of them, and no other") {
  const Folder folder;
  Config config = folder.config();
  const net::PortReservation port{config.server.listen};
  config.server.listen = port.address();
  config.realtime.echo = true;
  config.realtime.drain_time = 0s;
  complete(config);
  Platform platform{config, prepare_store(config), port, prepare_demo(config)};

  const auto routes = platform.routes();
  const auto document = wire::parse_json(openapi_document()).value();
  std::set<std::string> documented;  // "GET /path"
  for (const auto& path : *document.find("paths")->object()) {
    for (const auto& operation : *path.value.object()) documented.insert(method_and(operation.name, path.name));
  }
  std::set<std::string> routed;
  for (const web::RouteName& route : routes) {
    const std::string name = method_and(web::text(route.method), route.pattern);
    CAPTURE(name);
    const auto of_route = [&](const std::string& each) { return is_of(each, name); };
    CHECK(std::ranges::any_of(documented, of_route));
    std::ranges::copy_if(documented, std::inserter(routed, routed.end()), of_route);
  }
  for (const std::string& name : documented) {
    CAPTURE(name);
    CHECK(routed.contains(name));
  }
  CHECK(get(port.address(), "/openapi.json").contains(R"("openapi": "3.1.0")"));
  CHECK(platform.shutdown());
}

TEST_CASE("the demo is prepared once; its page may come back at another port") {
  const Folder folder;
  Config config = folder.config();
  complete(config);
  const auto first = prepare_demo(config);
  config.server.listen.port = 4242;
  complete(config);
  CHECK_EQ(prepare_demo(config).client_id, first.client_id);
  CHECK(demo_instructions(config).contains("http://127.0.0.1:4242/demo/"));
}

TEST_CASE("a taken port and an unusable one are told in one sentence, and nothing is served") {
  const Folder folder;
  Config config = folder.config();
  const auto wanted = net::PortReservation{config.server.listen}.address();
  auto where = net::SocketAddress::of(wanted);
  const net::Descriptor other{::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  REQUIRE_EQ(::bind(other.get(), where.get(), where.size()), 0);
  REQUIRE_EQ(::listen(other.get(), 1), 0);
  config.server.listen = wanted;
  MemoryConsole console;
  CHECK(serve(config, console) == Exit::failure);
  CHECK(console.complained().contains(wanted.text() + " is in use"));

  config.server.listen = *net::Endpoint::parse("192.0.2.1:0");
  CHECK(serve(config, console) == Exit::failure);
  CHECK(console.complained().contains("cannot listen on 192.0.2.1:0"));
}
