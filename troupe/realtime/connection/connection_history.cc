// Connection: pages of history on their way to the client, as fast as the socket takes them, for as long as they may be
// read.
#include <algorithm>

#include "troupe/realtime/command/history.h"
#include "troupe/realtime/connection/connection.h"

namespace troupe::realtime {

namespace {

constexpr std::size_t page_bytes_min = 64 * 1024;  // of one page, whatever others read

}  // namespace

std::optional<ClientError> Connection::start_history(const std::optional<RequestId>& id, std::string topic,
                                                     HistoryPage page) {
  if (state_ >= State::closing) return std::nullopt;  // nobody waits for it any more
  const auto& options = site_->options;
  const auto& user = session_.identity.user;
  auto& ledger = site_->histories_bytes;
  const auto bytes = bytes_of(page), of_user = ledger.bytes_of(user);
  if (rare().histories.size() >= options.histories_max) {
    return ClientError{ErrorCode::overloaded, "too many histories are under way", {}};
  }
  // His own share first: who has filled it is told of that, and to others it is the server that is full.
  if (of_user > 0 && of_user + bytes > options.histories_bytes_of_user_max) {
    return ClientError{ErrorCode::rate_limited, "too much history is under way to this user; read it first",
                       std::chrono::seconds{1}};
  }
  if (bytes > page_bytes_min && ledger.bytes() + bytes > options.histories_bytes_of_all_max) {
    return ClientError{ErrorCode::overloaded, "too many histories are under way", {}};
  }
  make_rare().histories.emplace_back(id, std::move(topic), std::move(page), ledger, user);
  take_turn();
  return std::nullopt;
}

bool Connection::cancel_history(const RequestId& id) {
  if (rare_ == nullptr) return false;
  auto& histories = rare_->histories;
  auto found = std::ranges::find_if(histories, [&](const HistoryStream& stream) { return stream.id() == id; });
  if (found == histories.end()) return false;
  answer(found->cancelled());
  histories.erase(found);
  return true;
}

// History goes out beside everything else, but never fills more of the outbox than answers may.
void Connection::pump_histories() {
  if (rare_ == nullptr) return;
  auto& histories = rare_->histories;
  auto room = site_->options.outbox.control_bytes_pause / 2;
  while (!histories.empty() && outbox().control_bytes() < room) {
    (void)open_outbox().push_control(histories.front().next());
    if (histories.front().is_done()) histories.erase(histories.begin());
  }
}

// The permissions may cover less than when the pages were read. What goes on shows no more than a new page would.
void Connection::end_forbidden_histories() {
  if (rare_ == nullptr || rare_->histories.empty()) return;
  std::vector<base::Bytes> answers;
  for (auto& stream : rare_->histories) hide_from(session_.identity, stream.rest());
  std::erase_if(rare_->histories, [&](const HistoryStream& stream) {
    const auto forbidden = forbids_reading(TopicName::parse(stream.topic()).value(), session_.permissions);
    if (forbidden) answers.push_back(finished(*forbidden, stream.id()));
    return forbidden.has_value();
  });
  for (auto& frame : answers) answer(std::move(frame));
}

}  // namespace troupe::realtime
