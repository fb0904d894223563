// Who may see what an operator sees, and what it looks like.
#include "troupe/app/admin/admin.h"

#include <doctest/doctest.h>

#include "troupe/actor/sim/world.h"
#include "troupe/app/admin/figures.h"
#include "troupe/wire/json.h"

using namespace troupe;
using namespace troupe::app;

namespace {

struct Put {};
struct Grave {
  void handle(Put) {}
};

struct Row {
  std::string_view what, peer, host;
  web::Headers::Field header = {};
  bool local = false;
};

}  // namespace

TEST_CASE("only what comes from this machine, through nothing and by its own name, is local") {
  const Row rows[] = {
      {"curl on this machine", "127.0.0.1", "127.0.0.1:8080", {}, true},
      {"by name", "127.0.0.1", "localhost:8080", {}, true},
      {"by IPv6", "::1", "[::1]:8080", {}, true},
      {"without a port", "127.0.0.1", "LOCALHOST", {}, true},
      {"another machine", "192.0.2.7", "127.0.0.1:8080"},
      {"another machine that lies about the host", "192.0.2.7", "localhost"},
      {"a proxy on this machine", "127.0.0.1", "localhost", {"X-Forwarded-For", "192.0.2.7"}},
      {"a proxy that speaks RFC 7239", "127.0.0.1", "localhost", {"Forwarded", "for=192.0.2.7"}},
      {"a proxy that says Via", "127.0.0.1", "localhost", {"Via", "1.1 proxy"}},
      {"a proxy that tells the scheme alone", "127.0.0.1", "localhost", {"X-Forwarded-Proto", "https"}},
      {"a proxy that tells the host alone", "127.0.0.1", "localhost", {"X-Forwarded-Host", "id.example"}},
      {"a proxy of a network of caches", "127.0.0.1", "localhost", {"CF-Connecting-IP", "192.0.2.7"}},
      {"another one", "127.0.0.1", "localhost", {"True-Client-IP", "192.0.2.7"}},
      {"a form of a page", "127.0.0.1", "localhost:8080", {"Origin", "https://evil.example"}},
      {"a page of a browser here under another name", "127.0.0.1", "evil.example:8080"},
      {"a name that begins like ours", "127.0.0.1", "localhost.evil.example"},
      {"an address that begins like ours", "127.0.0.1", "127.0.0.1.evil.example"},
      {"no host at all", "127.0.0.1", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    web::Request request;
    request.peer = {*net::IpAddress::parse(row.peer), 4000};
    request.headers.set("Host", std::string{row.host});
    if (!row.header.name.empty()) request.headers.set(row.header.name, row.header.value);
    CHECK_EQ(is_local(request), row.local);
  }
}

TEST_CASE("the tree of actors is JSON, parents before children, without what is empty") {
  const actor::InspectedActor actors[] = {
      {.path = "/a", .type = "A", .state = "running", .mailbox_capacity = 10},
      {.path = "/a/b", .type = "B", .state = "failed", .last_failure = "it \"broke\"\n", .details = {{"held", "3"}}},
  };
  const auto tree = wire::parse_json(tree_json(actors, {}));
  REQUIRE(tree.has_value());
  const auto& list = *tree->find("actors")->array();
  REQUIRE_EQ(list.size(), 2);
  CHECK_EQ(*list[0].string_at("path"), "/a");
  CHECK(list[0].find("details") == nullptr);
  CHECK_EQ(*list[1].string_at("last_failure"), "it \"broke\"\n");
  CHECK_EQ(*list[1].find("details")->string_at("held"), "3");
}

TEST_CASE("each figure of an actor stands under its own name") {
  const actor::InspectedActor actors[] = {{.path = "/a",
                                           .type = "A",
                                           .state = "waiting",
                                           .core = 1,
                                           .mailbox_depth = 2,
                                           .mailbox_capacity = 3,
                                           .in_flight = 4,
                                           .handled = 5,
                                           .errors = 6,
                                           .restarts = 7,
                                           .last_failure = "8",
                                           .idle = std::chrono::milliseconds{9},
                                           .details = {{"ten", "11"}}}};
  actor::HandlingTime time{.nanoseconds = 12};
  time.buckets[1] = 13;
  const actor::TypeFigures types[] = {{.type = "A", .handling_time = {{14, time}}}, {.type = "never measured"}};
  CHECK_EQ(tree_json(actors, types),
           R"({"actors":[{"path":"/a","type":"A","state":"waiting","core":1,"handled":5,"in_flight":4,)"
           R"("mailbox":{"depth":2,"capacity":3},"errors":6,"restarts":7,"last_failure":"8","idle_ms":9,)"
           R"("details":{"ten":"11"}}],"types":[{"type":"A","handling_time":[{"core":14,"time":)"
           R"({"measured":13,"nanoseconds":12,"below_ns":{"128":13}}}]}]})");
}

TEST_CASE("the process knows its memory, its time and its files") {
  base::Samples samples;
  add_process_figures(samples);
  REQUIRE_EQ(samples.all().size(), 3);
  CHECK_GT(samples.all()[1].value, 1024 * 1024);
  CHECK_GE(samples.all()[2].value, 3);
}

TEST_CASE("a scrape says how far the shutdown is") {
  using actor::PhaseState;
  const actor::PhaseProgress phases[] = {{"refuse", PhaseState::done, std::chrono::milliseconds{250}},
                                         {"drain-connections", PhaseState::running, std::chrono::seconds{2}},
                                         {"close-doors", PhaseState::waiting, {}}};
  base::Samples samples;
  add_shutdown_figures(samples, phases);
  const auto text = base::Metrics{}.scrape(samples);
  CHECK(text.contains("troupe_shutdown_phase_state{phase=\"refuse\"} 2\n"));
  CHECK(text.contains("troupe_shutdown_phase_seconds{phase=\"refuse\"} 0.25\n"));
  CHECK(text.contains("troupe_shutdown_phase_state{phase=\"drain-connections\"} 1\n"));
  CHECK(text.contains("troupe_shutdown_phase_state{phase=\"close-doors\"} 0\n"));
}

TEST_CASE("a scrape says how many drops nobody was told of, because too many came at once") {
  actor::test::World world{1};
  const auto grave = world.spawn<Grave>({.mailbox = {.capacity = 100'000}});
  world.run_until_idle();
  world.system().hear_dead_letters([](actor::Core&, std::span<const actor::DeadLetter>) {});
  for (int i = 0; i < 64 * 1024 + 3; ++i)
    grave.tell(Put{});  // three more than come in from another thread; one is told
  world.run_until_idle();
  world.system().hear_dead_letters(nullptr);
  base::Samples samples;
  add_dead_letter_figures(samples, world.system());
  CHECK(base::Metrics{}.scrape(samples).contains("troupe_actor_dead_letters_left_out_total 2\n"));
}

TEST_CASE("what was counted for a class of actor is shown under its name, drops by their reason") {
  actor::HandlingTime time{.nanoseconds = 2'000'000'000};
  time.buckets[0] = 3;   // below 64 ns
  time.buckets[6] = 2;   // below 4 us
  time.buckets[29] = 1;  // a very long time
  actor::TypeFigures figures{.type = "A", .spawned = 5, .stopped = 2, .handled = 7};
  figures.handling_time = {{0, {}}, {1, time}};
  figures.dropped[static_cast<std::size_t>(actor::Drop::full)] = 4;
  base::Samples samples;
  add_actor_figures(samples, {figures});
  add_mailbox_figures(samples, {{"A", {.waiting = 8, .deepest = 6}}});
  const auto text = base::Metrics{}.scrape(samples);
  CHECK(text.contains("troupe_actors{type=\"A\"} 3\n"));
  CHECK(text.contains("troupe_actor_messages_total{type=\"A\"} 7\n"));
  CHECK(text.contains("troupe_actor_dropped_total{type=\"A\",reason=\"the mailbox is full\"} 4\n"));
  CHECK(text.contains("# TYPE troupe_actor_handling_seconds histogram\n"));
  CHECK(text.contains("troupe_actor_handling_seconds_bucket{type=\"A\",core=\"1\",le=\"1.024e-06\"} 3\n"));
  CHECK(text.contains("troupe_actor_handling_seconds_bucket{type=\"A\",core=\"1\",le=\"4.096e-06\"} 5\n"));
  CHECK(text.contains("troupe_actor_handling_seconds_bucket{type=\"A\",core=\"1\",le=\"1.6384e-05\"} 5\n"));
  CHECK(text.contains("troupe_actor_handling_seconds_bucket{type=\"A\",core=\"1\",le=\"+Inf\"} 6\n"));
  CHECK(text.contains("troupe_actor_handling_seconds_sum{type=\"A\",core=\"1\"} 2\n"));
  CHECK(text.contains("troupe_actor_handling_seconds_count{type=\"A\",core=\"0\"} 0\n"));
  CHECK(text.contains("troupe_actor_mailbox_messages{type=\"A\"} 8\n"));
  CHECK(text.contains("troupe_actor_mailbox_deepest{type=\"A\"} 6\n"));
}
