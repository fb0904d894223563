// ServerActor: counting in and counting out.
#include "troupe/realtime/service/server_actor.h"

namespace troupe::realtime {

namespace {

// Tells the server when its holder has let go, on whichever core that is.
struct PlaceGiven final : Place {
  PlaceGiven(actor::Ref<ServerActor> its_server, const net::IpAddress& address, UserId its_user)
      : Place(address), server(its_server), user(std::move(its_user)) {}
  ~PlaceGiven() override { server.tell(Leave{address(), std::move(user)}); }

  actor::Ref<ServerActor> server;
  UserId user;  // empty for somebody without a token
};

// The same of a user alone, whose connection has a place already.
struct UserPlace final : Place {
  UserPlace(actor::Ref<ServerActor> its_server, UserId its_user)
      : Place({}), server(its_server), user(std::move(its_user)) {}
  ~UserPlace() override { server.tell(Leave{std::nullopt, std::move(user)}); }

  actor::Ref<ServerActor> server;
  UserId user;
};

// How many there are of each; who has none has no entry.
template <class Key>
std::size_t count_of(const std::map<Key, std::size_t>& counts, const Key& key) {
  auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

// False for a place that was given before this server started anew, and was never counted here.
template <class Key>
bool count_out(std::map<Key, std::size_t>& counts, const Key& key) {
  auto found = counts.find(key);
  if (found == counts.end()) return false;
  if (--found->second == 0) counts.erase(found);
  return true;
}

}  // namespace

std::unexpected<AdmitRefusal> ServerActor::refuse(AdmitRefusal why) {
  ++figures_.refused;
  return std::unexpected(why);
}

std::expected<Lease, AdmitRefusal> ServerActor::handle(const Admit& message, actor::Context& ctx) {
  if (draining_) return refuse(AdmitRefusal::draining);
  if (figures_.connections >= limits_.connections_max) return refuse(AdmitRefusal::full);
  auto address = counted_address(message.address);
  if (count_of(by_address_, address) >= limits_.by_address_max) return refuse(AdmitRefusal::too_many_from_address);
  if (message.user && count_of(by_user_, *message.user) >= limits_.by_user_max) {
    return refuse(AdmitRefusal::too_many_of_user);
  }
  ++by_address_[address];
  if (message.user) ++by_user_[*message.user];
  ++figures_.connections;
  ++figures_.admitted;
  return std::make_unique<PlaceGiven>(ctx.self(this), message.address, message.user.value_or(UserId{}));
}

std::expected<Lease, AdmitRefusal> ServerActor::handle(const AdmitUser& message, actor::Context& ctx) {
  if (count_of(by_user_, message.user) >= limits_.by_user_max) return refuse(AdmitRefusal::too_many_of_user);
  ++by_user_[message.user];
  return std::make_unique<UserPlace>(ctx.self(this), message.user);
}

void ServerActor::handle(const Leave& message) {
  if (message.address && count_out(by_address_, counted_address(*message.address))) --figures_.connections;
  if (!message.user.value().empty()) count_out(by_user_, message.user);
}

UsersPage ServerActor::handle(const ListUsers& message) const {
  UsersPage page{{}, by_user_.size(), false};
  auto next = by_user_.upper_bound(message.after);
  for (; next != by_user_.end() && page.users.size() < message.limit; ++next) page.users.emplace_back(*next);
  page.more = next != by_user_.end();
  return page;
}

void ServerActor::inspect(actor::Inspection& out) const {
  out.add("connections", figures_.connections);
  out.add("refused", figures_.refused);
}

}  // namespace troupe::realtime
