// DueQueue: when each connection of one core wants its on_time(); the earliest comes first.
//
// A heap of two words a connection; each connection knows its place in it, so that its time is
// replaced or taken out without a search. Of two with the same time the older connection comes first. One core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>

#include "troupe/base/clock.h"

namespace troupe::realtime {

using ConnectionNumber = std::uint64_t;  // within a core

class DueQueue {
 public:
  /// A connection as the queue knows it; it must leave before it dies.
  class Member {
   public:
    explicit Member(ConnectionNumber number) noexcept : number_(number) {}
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    ConnectionNumber number() const noexcept { return number_; }

   protected:
    ~Member() = default;

   private:
    friend class DueQueue;
    static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();

    const ConnectionNumber number_;
    std::uint32_t place_ = nowhere;
  };

  /// Replaces the time of a connection by another; never(): it has none any more.
  void move(Member& member, base::Instant at) {
    if (member.place_ == Member::nowhere) {
      if (at == base::Instant::never()) return;
      entries_.push_back({});
      return rise(entries_.size() - 1, {at, &member});
    }
    const std::size_t place = member.place_;
    if (at != base::Instant::never()) return put(place, {at, &member});
    member.place_ = Member::nowhere;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (place < entries_.size()) put(place, last);
  }
  base::Instant earliest() const noexcept { return entries_.empty() ? base::Instant::never() : entries_.front().at; }
  Member& first() const noexcept { return *entries_.front().member; }

 private:
  struct Entry {
    base::Instant at;
    Member* member = nullptr;

    bool is_before(const Entry& other) const noexcept {
      return at != other.at ? at < other.at : member->number_ < other.member->number_;
    }
  };

  void set(std::size_t place, const Entry& entry) noexcept {
    entries_[place] = entry;
    entry.member->place_ = static_cast<std::uint32_t>(place);
  }
  void put(std::size_t place, const Entry& entry) noexcept {
    const bool rises = place > 0 && entry.is_before(entries_[(place - 1) / 2]);
    rises ? rise(place, entry) : sink(place, entry);
  }
  void rise(std::size_t place, const Entry& entry) noexcept {
    for (; place > 0 && entry.is_before(entries_[(place - 1) / 2]); place = (place - 1) / 2) {
      set(place, entries_[(place - 1) / 2]);
    }
    set(place, entry);
  }
  void sink(std::size_t place, const Entry& entry) noexcept {
    for (std::size_t child = 2 * place + 1; child < entries_.size(); child = 2 * place + 1) {
      if (child + 1 < entries_.size() && entries_[child + 1].is_before(entries_[child])) ++child;
      if (!entries_[child].is_before(entry)) break;
      set(place, entries_[child]);
      place = child;
    }
    set(place, entry);
  }

  std::deque<Entry> entries_;  // grows by small blocks; none is before its parent, which stands at half its place
};

}  // namespace troupe::realtime
