// See presence_reporter.h.
#include "troupe/realtime/topic/presence_reporter.h"

#include <optional>

namespace troupe::realtime {

void PresenceReporter::report(const UserId& user, const std::vector<TopicPattern>& came,
                              const std::vector<TopicPattern>& left) {
  std::map<std::size_t, ReportPresence> reports;
  auto report_to = [&](std::size_t home) -> ReportPresence& {
    return reports.try_emplace(home, ReportPresence{core_, 0, user, {}, {}}).first->second;
  };
  for (const auto& topic : came) {
    if (++*sessions_[topic].try_emplace(user).first == 1) report_to(home(topic)).came.push_back(topic);
  }
  for (const auto& topic : left) {
    auto place = sessions_.find(topic);
    if (place == sessions_.end()) continue;
    auto& users = place->second;
    auto* count = users.find(user);
    if (count == nullptr || --*count > 0) continue;
    users.erase(user);
    if (users.empty()) sessions_.erase(place);
    report_to(home(topic)).left.push_back(topic);
  }
  for (auto& [home, report] : reports) {
    auto& book = books_[home];
    report.number = ++book.number;
    if (!report.left.empty()) book.untold.push_back({report.number, user, report.left});
    (*homes_)[home].tell(std::move(report));
  }
}

void PresenceReporter::forget(const PresenceTold& message) {
  auto& untold = books_[message.home].untold;
  while (!untold.empty() && untold.front().number <= message.number) untold.pop_front();
}

void PresenceReporter::repeat(const RepeatPresence& message) const {
  const auto& book = books_[message.home];
  PresenceRepeated answer{core_, book.number, {}, {}};
  for (const auto& [topic, users] : sessions_) {
    if (home(topic) != message.home) continue;
    users.for_each([&](const UserId& user, std::uint32_t) { answer.present.emplace_back(topic, user); });
  }
  for (std::size_t i = 0; i < book.untold.size(); ++i) {
    const auto& report = book.untold[i];
    for (const auto& topic : report.left) answer.left.emplace_back(topic, report.user);
  }
  (*homes_)[message.home].tell(std::move(answer));
}

}  // namespace troupe::realtime
