// HistoryStream: a page of history on its way to one client, item by item, so that a long
// page neither fills the outbox nor holds up commands.
//
// It holds its messages to its end, whether history itself has dropped them or not; so their
// bytes are counted for as long.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "troupe/realtime/protocol/answer.h"
#include "troupe/realtime/protocol/message.h"
#include "troupe/realtime/topic/byte_ledger.h"
#include "troupe/realtime/topic/history.h"

namespace troupe::realtime {

/// Of all messages of a page.
inline std::size_t bytes_of(const HistoryPage& page) noexcept {
  std::size_t bytes = 0;
  for (const auto& item : page.items) bytes += item.message.frame.size();
  return bytes;
}

class HistoryStream {
 public:
  /// Its bytes are entered in `ledger` on the user's account until its end.
  HistoryStream(std::optional<RequestId> id, std::string topic, HistoryPage page, ByteLedger& ledger, UserId user)
      : id_(std::move(id)),
        topic_(std::move(topic)),
        page_(std::move(page)),
        entered_(ledger, std::move(user), bytes_of(page_)) {}

  const std::optional<RequestId>& id() const noexcept { return id_; }
  const std::string& topic() const noexcept { return topic_; }
  /// What is still to be sent.
  HistoryPage& rest() {
    page_.items.erase(page_.items.begin(), page_.items.begin() + static_cast<std::ptrdiff_t>(std::exchange(next_, 0)));
    return page_;
  }

  /// The next frame; after the last item the end. Not to be called once is_done().
  base::Bytes next() {
    if (next_ == page_.items.size()) {
      done_ = true;
      auto ending = page_.complete ? HistoryEnding::complete : HistoryEnding::incomplete;
      return finished(HistoryEnd{ending}, id_);
    }
    const auto& item = page_.items[next_++];
    return encode_history_item(topic_, {page_.epoch, item.offset}, item.sent_at, item.message, id_);
  }
  bool is_done() const noexcept { return done_; }

  /// The end of a stream that is called off.
  base::Bytes cancelled() const { return finished(HistoryEnd{HistoryEnding::cancelled}, id_); }

 private:
  std::optional<RequestId> id_;
  std::string topic_;
  HistoryPage page_;
  EnteredBytes entered_;
  std::size_t next_ = 0;
  bool done_ = false;
};

}  // namespace troupe::realtime
