// What an actor has read may be older than what has been written since: nobody gets in by it.
#include <doctest/doctest.h>

#include "troupe/oauth/actor/testing/file_world.h"

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;
using fixture::FileWorld;

constexpr std::uint64_t schedules = 60;
const UserName bob{"bob"};
const net::IpAddress home = net::IpAddress::parse("192.0.2.1").value();

crypto::Password password(std::string_view text) { return crypto::Password{std::string{text}}; }

/// Signs in as the endpoint does: first the password, then the session.
class Visitor {
 public:
  static constexpr bool interleaves = true;
  struct SignIn {};
  struct Show {
    using reply = std::optional<SessionToken>;
  };

  Visitor(actor::Ref<UserActor> users, actor::Ref<SessionActor> sessions)
      : users_(std::move(users)), sessions_(std::move(sessions)) {}

  actor::Task<void> handle(SignIn) {
    auto user = co_await users_.ask(VerifyPassword{bob, password("correct horse"), home}, {.within = 30s});
    if (!user) co_return;
    auto flow = co_await sessions_.ask(BeginFlow{{}, std::nullopt});
    auto started = co_await sessions_.ask(StartSession{.flow = flow->ticket.flow.id,
                                                       .browser = flow->browser,
                                                       .csrf = flow->ticket.csrf,
                                                       .user = user->id,
                                                       .password_since = user->password_since,
                                                       .previous = std::nullopt});
    if (started) token_ = started->token;
  }
  std::optional<SessionToken> handle(Show) { return token_; }

 private:
  actor::Ref<UserActor> users_;
  actor::Ref<SessionActor> sessions_;
  std::optional<SessionToken> token_;
};

/// Lets somebody sign in while `change` is made to the account; gives how many were in before it. None stays.
template <class Change>
int signed_in_before(Change change) {
  int in_before = 0;
  for (std::uint64_t seed = 1; seed <= schedules; ++seed) {
    INFO("seed " << seed);
    FileWorld oauth{seed};
    const UserId id =
        oauth.world.block_on(oauth.users.ask(AddUser{bob, std::nullopt, password("correct horse")})).value().id;
    const auto visitor = oauth.world.spawn<Visitor>({.name = "visitor"}, oauth.users, oauth.sessions);
    visitor.tell(Visitor::SignIn{});
    oauth.world.advance(std::chrono::milliseconds{seed % 12});
    change(oauth, id);
    oauth.world.advance(1s);
    const auto token = oauth.world.block_on(visitor.ask(Visitor::Show{})).value();
    if (!token) continue;
    ++in_before;
    CHECK_FALSE(oauth.world.block_on(oauth.sessions.ask(GetSession{*token})).value().has_value());
  }
  return in_before;
}

TEST_CASE("a sign-in that is under way while the password is changed does not outlive the change (T29)") {
  const int in_before = signed_in_before([](FileWorld& oauth, const UserId& id) {
    REQUIRE(oauth.world.block_on(oauth.users.ask(SetPassword{id, password("battery staple")})).has_value());
  });
  CHECK_GT(in_before, 0);
  CHECK_LT(in_before, static_cast<int>(schedules));
}

TEST_CASE("a sign-in that is under way while the user is disabled is over, also when they are enabled again") {
  const int in_before = signed_in_before([](FileWorld& oauth, const UserId& id) {
    REQUIRE(oauth.world.block_on(oauth.users.ask(DisableUser{id})).has_value());
    oauth.world.advance(100ms);
    REQUIRE(oauth.world.block_on(oauth.users.ask(EnableUser{id})).has_value());
  });
  CHECK_GT(in_before, 0);
  CHECK_LT(in_before, static_cast<int>(schedules));
}

TEST_CASE("a code that is on its way to be made while the consent is taken back gives no tokens") {
  int made = 0;
  for (std::uint64_t seed = 1; seed <= schedules; ++seed) {
    INFO("seed " << seed);
    FileWorld oauth{seed};
    oauth.world.advance(1s);  // until all is there
    const ClientPtr shop = oauth.client(fixture::shop().id);
    const UserId alice = fixture::alice().user.id;
    const ScopeSet scope = fixture::scope("openid offline_access");
    REQUIRE(oauth.world.block_on(oauth.users.ask(RecordConsent{alice, shop->id, scope})).has_value());
    const Authentication by{.user = alice, .session = SessionId{fixture::Ids{}.next().text()}, .time = fixture::start};
    const AuthRequest request{
        .client = shop, .redirect_uri = shop->metadata.redirect_uris.front(), .audience = {oauth.options.issuer}};
    const CreateAuthCode wanted{.request = request, .authentication = by, .scope = scope};
    const RevokeConsent end{alice, shop->id};
    if (seed % 2 == 0) oauth.crowd(oauth.users, end, 1);
    const auto asking = oauth.crowd(oauth.codes, wanted, 1);
    if (seed % 2 == 1) oauth.crowd(oauth.users, end, 1);
    oauth.world.advance(1s);
    using Answers = fixture::Crowd<AuthActor, CreateAuthCode>::Answers;
    const auto answers = oauth.world.block_on(asking.ask(Answers{})).value();
    REQUIRE_EQ(answers.size(), 1);
    if (!answers.front()) {
      CHECK_EQ(answers.front().error().domain->error, errors::consent_required);
      continue;
    }
    ++made;
    CHECK_EQ(oauth.redeem(*answers.front(), shop).error().domain, errors::invalid_grant);
  }
  CHECK_GT(made, 0);
  CHECK_LT(made, static_cast<int>(schedules));
}

TEST_CASE("a client whose secret was renewed is known by the old one no more, whoever was reading it meanwhile") {
  for (std::uint64_t seed = 1; seed <= schedules; ++seed) {
    INFO("seed " << seed);
    FileWorld oauth{seed};
    const ClientMetadata metadata{
        .name = "New", .redirect_uris = {"https://new.example/cb"}, .scope = fixture::scope("read")};
    const auto made = oauth.world.block_on(oauth.clients.ask(RegisterClient{metadata})).value();
    oauth.crowd(oauth.clients, GetClient{made.client->id}, 3);
    REQUIRE(oauth.world.block_on(oauth.clients.ask(RenewClientSecret{made.client->id})).has_value());
    oauth.world.advance(10ms);
    const auto old = oauth.world.block_on(
        oauth.clients.ask(ValidateClient{made.client->id, ClientAuthMethod::client_secret_basic, *made.secret}));
    CHECK_FALSE(old.has_value());
  }
}

}  // namespace
}  // namespace troupe::oauth
