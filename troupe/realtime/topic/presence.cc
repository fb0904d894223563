// Presence: a set of cores for each user of a topic, and the difference to what was told.
#include "troupe/realtime/topic/presence.h"

namespace troupe::realtime {

namespace {

constexpr std::uint64_t bit(CoreIndex core) noexcept { return std::uint64_t{1} << core; }

std::vector<CoreIndex> listed(std::uint64_t cores) {
  std::vector<CoreIndex> list;
  for (CoreIndex core = 0; core < PresenceTable::cores_max; ++core) {
    if ((cores & bit(core)) != 0) list.push_back(core);
  }
  return list;
}

}  // namespace

void PresenceTable::came(std::string_view topic, const UserId& user, CoreIndex core) {
  auto place = topics_.try_emplace(std::string{topic}).first;
  auto [reported, fresh] = place->second.users.try_emplace(user, 0);
  *reported |= bit(core);
  if (!fresh) return;
  ++users_;
  note(place->first, place->second, user, Told::absent);
}

void PresenceTable::left(std::string_view topic, const UserId& user, CoreIndex core) {
  auto place = topics_.try_emplace(std::string{topic}).first;
  auto& users = place->second.users;
  auto* reported = users.find(user);
  if (reported == nullptr) {
    if (rebuilding_) note(place->first, place->second, user, Told::present);
    return forget_if_empty(place);
  }
  *reported &= ~bit(core);
  if (*reported != 0) return;
  users.erase(user);
  --users_;
  note(place->first, place->second, user, Told::present);
}

void PresenceTable::watch(std::string_view topic, CoreIndex core) { topics_[std::string{topic}].watchers |= bit(core); }

void PresenceTable::unwatch(std::string_view topic, CoreIndex core) {
  auto place = topics_.find(std::string{topic});
  if (place == topics_.end()) return;
  place->second.watchers &= ~bit(core);
  forget_if_empty(place);
}

PresencePage PresenceTable::page(std::string_view topic, std::size_t limit, const UserId& after) {
  PresencePage page;
  auto place = topics_.find(std::string{topic});
  if (place == topics_.end()) return page;
  const auto& users = place->second.users;
  page.count = users.size();
  bool more = false;
  users.visit_after(after, [&](const UserId& user, Cores) {
    more = page.users.size() == limit;
    if (!more) page.users.push_back(user);
    return !more;
  });
  if (more && !page.users.empty()) page.next = page.users.back();
  note_shown(place->second, after, page.next);
  return page;
}

// The reader of a page knows more than was told: of these users it must hear what becomes of them in any case.
void PresenceTable::note_shown(Topic& topic, const UserId& after, const std::optional<UserId>& last) {
  const auto end = last ? topic.changed.upper_bound(*last) : topic.changed.end();
  for (auto place = topic.changed.upper_bound(after); place != end; ++place) place->second = Told::unknown;
}

std::vector<PresenceChange> PresenceTable::take_changes() {
  std::vector<PresenceChange> changes;
  for (const auto& name : changed_) {
    auto place = topics_.find(name);
    auto& topic = place->second;
    PresenceChange change{name, {}, {}, listed(topic.watchers)};
    if (!change.cores.empty()) {
      for (const auto& [user, told] : topic.changed) {
        const bool present = topic.users.contains(user);
        if (present && told != Told::present) change.joined.push_back(user);
        if (!present && told != Told::absent) change.left.push_back(user);
      }
    }
    topic.changed.clear();
    forget_if_empty(place);
    if (!change.joined.empty() || !change.left.empty()) changes.push_back(std::move(change));
  }
  changed_.clear();
  return changes;
}

void PresenceTable::note(const std::string& name, Topic& topic, const UserId& user, Told told) {
  if (topic.changed.empty()) changed_.push_back(name);
  topic.changed.try_emplace(user, rebuilding_ ? Told::unknown : told);
}

void PresenceTable::forget_if_empty(Topics::iterator place) {
  const auto& topic = place->second;
  if (topic.users.empty() && topic.watchers == 0 && topic.changed.empty()) topics_.erase(place);
}

}  // namespace troupe::realtime
