// The webhook of the audit trail: each event at least once, in order, whatever the receiver and this process go
// through.
#include "troupe/app/platform/audit_webhook.h"

#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/actor_world.h"
#include "troupe/wire/json.h"

using namespace troupe;
using namespace troupe::app;
using namespace std::chrono_literals;

namespace {

/// A server that takes events, or says why not.
struct Receiver {
  std::vector<std::string> reasons;  // of the events that it took
  std::vector<std::string> signatures;
  std::string last_body;
  std::string answer;  // "": 2xx
  int asked = 0;
};

struct HookWorld : oauth::fixture::ActorWorld {
  std::shared_ptr<Receiver> receiver;
  base::Metrics metrics;

  HookWorld(std::uint64_t seed, oauth::fixture::Disk on, std::shared_ptr<Receiver> to,
            std::vector<std::string> kinds = {"code_made"})
      : ActorWorld(seed, std::move(on)), receiver(std::move(to)) {
    auto hook = world.spawn<AuditWebhook>(
        {.name = "hook"}, storage,
        AuditWebhookOptions{.url = "https://audit.example",
                            .secret = base::Secret<std::string>{"0123456789abcdef"},
                            .kinds = std::move(kinds),
                            .events_a_request = 3,
                            .metrics = &metrics,
                            .post = [to = receiver](const std::string& body, const std::string& signature) {
                              return take(*to, body, signature);
                            }});
    world.spawn<oauth::ChangeActor>(
        {.name = "looking"},
        oauth::ChangeActorParts{.storage = storage, .keys = keys, .clients = clients, .watcher = {}, .audit = {hook}});
    world.advance(1s);
  }

  static std::string take(Receiver& receiver, const std::string& body, const std::string& signature) {
    ++receiver.asked;
    if (!receiver.answer.empty()) return receiver.answer;
    receiver.last_body = body;
    receiver.signatures.push_back(signature);
    const auto json = *wire::parse_json(body);
    for (const wire::Json& event : *json.find("events")->array())
      receiver.reasons.push_back(*event.string_at("reason"));
    return {};
  }

  void append(std::string reason, std::string kind = "code_made") {
    disk->transact([&](store::Transaction& transaction) {
      base::SeededRandom random{5};
      oauth::SqlAudit{transaction}.append(
          {.id = crypto::TokenIds{}.next(now(), random), .kind = std::move(kind), .reason = std::move(reason)});
    });
  }
};

/// Puts rows behind all events that there are whose ids are too long, and one with a text that is none.
void plant_strangers(HookWorld& hook, int count) {
  hook.disk->transact([&](store::Transaction& transaction) {
    const auto newest = oauth::SqlAudit{transaction}.head()->id;
    for (int i = 0; i < count; ++i) {
      const std::string id = std::string{newest.view()} + static_cast<char>('a' + i);
      transaction.run("INSERT INTO events (id, kind, reason, segment, place) VALUES (?1, 'code_made', 'forged', 1, 2)",
                      {store::Blob{id}});
    }
    base::SeededRandom random{6};
    const auto id = crypto::TokenIds{}.next(newest.time() + 1ms, random);
    transaction.run("INSERT INTO events (id, kind, reason, segment, place) VALUES (?1, 'code_made', ?2, 1, 2)",
                    {store::Blob{id.view()}, std::string_view{"\xff"}});
  });
  hook.world.advance(10ms);  // events have later ids
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("events are posted in order, a few at a time, and only of the kinds that are wanted") {
  HookWorld hook{1, oauth::fixture::new_disk(), std::make_shared<Receiver>()};
  for (int i = 1; i <= 7; ++i) hook.append(std::to_string(i), i == 4 ? "keys_made" : "code_made");
  hook.world.advance(1s);
  CHECK_EQ(hook.receiver->reasons, Lines{"1", "2", "3", "5", "6", "7"});
  CHECK_EQ(hook.receiver->asked, 3);
  CHECK_EQ(hook.metrics.counter("troupe_webhook_events_total", "").value(), 6);
  hook.world.advance(1min);
  CHECK_EQ(hook.receiver->asked, 3);
}

TEST_CASE("a receiver that fails is asked again after growing pauses, until it takes them") {
  HookWorld hook{2, oauth::fixture::new_disk(), std::make_shared<Receiver>()};
  hook.receiver->answer = "answered 503";
  hook.append("1");
  hook.append("2");
  hook.world.advance(10min);
  CHECK_GE(hook.receiver->asked, 8);  // after 1, 2, 4 ... 256 seconds
  CHECK_LE(hook.receiver->asked, 12);
  hook.receiver->answer.clear();
  hook.append("3");
  hook.world.advance(6min);
  CHECK_EQ(hook.receiver->reasons, Lines{"1", "2", "3"});
  CHECK_GE(hook.metrics.counter("troupe_webhook_failures_total", "").value(), 8);
}

TEST_CASE("after a restart of the process it goes on where it was, also with what happened meanwhile") {
  const auto disk = oauth::fixture::new_disk();
  const auto receiver = std::make_shared<Receiver>();
  {
    HookWorld hook{3, disk, receiver};
    hook.append("1");
    hook.world.advance(1s);
    receiver->answer = "connection refused";
    hook.append("2");
    hook.world.advance(1s);
  }
  receiver->answer.clear();
  HookWorld again{4, disk, receiver};
  again.append("3");
  again.world.advance(1s);
  CHECK_EQ(receiver->reasons, Lines{"1", "2", "3"});
}

TEST_CASE("what somebody has put into the trail that is no event is passed over, however much it is") {
  HookWorld hook{9, oauth::fixture::new_disk(), std::make_shared<Receiver>()};
  hook.append("1");
  plant_strangers(hook, 10);
  hook.append("2");
  hook.world.advance(1min);
  CHECK_EQ(hook.receiver->reasons, Lines{"1", "2"});
  CHECK_EQ(hook.metrics.counter("troupe_webhook_failures_total", "").value(), 0);
}

TEST_CASE("while its place cannot be kept it goes on, and sends nothing twice as long as the process lives") {
  HookWorld hook{7, oauth::fixture::new_disk(), std::make_shared<Receiver>()};
  hook.disk->script(
      "CREATE TRIGGER full BEFORE UPDATE ON audit_readers BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  for (int i = 1; i <= 3; ++i) {
    hook.append(std::to_string(i));
    hook.world.advance(10s);
  }
  CHECK_EQ(hook.receiver->reasons, Lines{"1", "2", "3"});
  CHECK_GE(hook.metrics.counter("troupe_webhook_failures_total", "").value(), 3);
  hook.disk->script("DROP TRIGGER full");
  hook.append("4");
  hook.world.advance(10s);
  CHECK_EQ(hook.receiver->reasons, Lines{"1", "2", "3", "4"});
}

TEST_CASE("what happens while its first place cannot be kept is sent, too") {
  const auto disk = oauth::fixture::new_disk();
  disk->script("CREATE TRIGGER full BEFORE INSERT ON audit_readers BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  HookWorld hook{8, disk, std::make_shared<Receiver>()};
  hook.append("1");
  hook.world.advance(10s);
  disk->script("DROP TRIGGER full");
  hook.append("2");
  hook.world.advance(10s);
  CHECK_EQ(hook.receiver->reasons, Lines{"1", "2"});
}

TEST_CASE("a request is signed with its time, so that nobody else can make one, nor send an old one as new") {
  const base::Secret<std::string> secret{"0123456789abcdef"};
  const base::UnixTime now{1'700'000'000'999};
  const std::string signature = webhook_signature(secret, now, "{}");
  CHECK_EQ(signature,
           "t=1700000000,v1=" + crypto::hex(crypto::hmac_sha256("0123456789abcdef", "1700000000.{}").view()));
  CHECK_NE(signature, webhook_signature(secret, now + 1s, "{}"));
  CHECK_NE(signature, webhook_signature(secret, now, "[]"));
  CHECK_NE(signature, webhook_signature(base::Secret<std::string>{"another secret.."}, now, "{}"));

  HookWorld hook{5, oauth::fixture::new_disk(), std::make_shared<Receiver>()};
  hook.append("1");
  hook.world.advance(1s);
  REQUIRE_EQ(hook.receiver->signatures.size(), 1);
  const std::string& sent = hook.receiver->signatures.front();
  const base::UnixTime when{1000 * std::stoll(sent.substr(2))};
  CHECK_EQ(sent, webhook_signature(secret, when, hook.receiver->last_body));
}
