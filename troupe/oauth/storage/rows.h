// What the memory twins of the tables share: maps from ids to rows. Internal to storage/.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "troupe/store/transaction.h"

namespace troupe::oauth {

[[noreturn]] inline void throw_conflict(const char* what) { throw store::Error{store::Failure::conflict, 0, what}; }

template <class Rows, class Key>
auto found_in(const Rows& rows, const Key& key) -> std::optional<typename Rows::mapped_type> {
  const auto found = rows.find(key);
  return found == rows.end() ? std::nullopt : std::optional{found->second};
}

template <class Rows>
void insert_into(Rows& rows, const typename Rows::key_type& key, const typename Rows::mapped_type& row) {
  if (!rows.emplace(key, row).second) throw_conflict("a row of this id");
}

/// Whether there was a row to put this one in place of.
template <class Rows>
bool update_in(Rows& rows, const typename Rows::key_type& key, const typename Rows::mapped_type& row) {
  const auto found = rows.find(key);
  if (found == rows.end()) return false;
  found->second = row;
  return true;
}

template <class Rows>
auto page_of(const Rows& rows, const typename Rows::key_type& after, int count) {
  std::vector<typename Rows::mapped_type> page;
  for (auto it = rows.upper_bound(after); it != rows.end() && std::ssize(page) < count; ++it)
    page.push_back(it->second);
  return page;
}

/// Removes rows from the front, while their ids are before `end` and fewer than `count` are gone.
template <class Rows>
int remove_before(Rows& rows, const typename Rows::key_type& end, int count) {
  int removed = 0;
  while (removed < count && !rows.empty() && rows.begin()->first < end) {
    rows.erase(rows.begin());
    ++removed;
  }
  return removed;
}

}  // namespace troupe::oauth
