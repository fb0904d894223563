// SmallMap: a map for what most have one or two of and a few have thousands: one entry stands in the map itself, a few
// in one block of memory, in their order; more stand in a std::map.
//
// For tables of which there is one for each connection, or each topic.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::realtime {

template <class Key, class Value, std::size_t FewMax = 8>
class SmallMap {
 public:
  static constexpr std::size_t few = FewMax;

  SmallMap() = default;
  SmallMap(SmallMap&& other) noexcept : entries_(std::exchange(other.entries_, None{})) {}
  SmallMap& operator=(SmallMap other) noexcept {
    entries_.swap(other.entries_);
    return *this;
  }
  SmallMap(const SmallMap& other) {
    if (const auto* many = other.many()) {
      entries_ = std::make_unique<Many>(*many);
    } else if (const auto* row = std::get_if<FewPtr>(&other.entries_)) {
      entries_ = std::make_unique<Few>(**row);
    } else if (const auto* one = std::get_if<Entry>(&other.entries_)) {
      entries_ = *one;
    }
  }

  bool empty() const noexcept { return size() == 0; }
  std::size_t size() const noexcept { return many() ? many()->size() : row().size(); }
  bool contains(const Key& key) const { return find(key) != nullptr; }

  /// Null where there is none.
  const Value* find(const Key& key) const {
    if (const auto* all = many()) {
      auto found = all->find(key);
      return found == all->end() ? nullptr : &found->second;
    }
    auto place = place_of(key);
    return place != row().end() && place->first == key ? &place->second : nullptr;
  }
  Value* find(const Key& key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

  /// The entry of `key`, and whether it was added with this value.
  std::pair<Value*, bool> try_emplace(const Key& key, Value value = {}) {
    if (auto* known = find(key)) return {known, false};
    if (empty()) return {&entries_.template emplace<Entry>(key, std::move(value)).second, true};
    make_room();
    if (auto* all = many()) return {&all->emplace(key, std::move(value)).first->second, true};
    auto& block = *std::get<FewPtr>(entries_);
    const auto index = place_of(key) - row().begin();
    return {&block.emplace(block.begin() + index, key, std::move(value))->second, true};
  }
  void insert_or_assign(const Key& key, Value value) {
    auto [place, fresh] = try_emplace(key, value);
    if (!fresh) *place = std::move(value);
  }
  /// False where there is none.
  bool erase(const Key& key) {
    if (!contains(key)) return false;
    if (size() == 1) {
      clear();
    } else if (auto* all = many()) {
      all->erase(key);
    } else {
      auto& block = *std::get<FewPtr>(entries_);
      block.erase(block.begin() + (place_of(key) - row().begin()));
      if (block.size() == 1) entries_ = Entry{std::move(block.front())};
    }
    return true;
  }
  void clear() noexcept { entries_ = None{}; }

  /// Calls `visit(key, value)` for each entry, in the order of the keys. The map must not be changed meanwhile.
  template <class Visit>
  void for_each(Visit visit) const {
    if (const auto* all = many()) {
      for (const auto& [key, value] : *all) visit(key, value);
    } else {
      for (const auto& [key, value] : row()) visit(key, value);
    }
  }
  /// The same from the first key behind `key` on, until `visit` gives false.
  template <class Visit>
  void visit_after(const Key& key, Visit visit) const {
    auto each = [&](auto place, auto end) {
      while (place != end && visit(place->first, place->second)) ++place;
    };
    if (const auto* all = many()) return each(all->upper_bound(key), all->end());
    const auto entries = row();
    each(std::ranges::upper_bound(entries, key, {}, &Entry::first), entries.end());
  }
  /// Whether `holds(key)` is true of any.
  template <class Holds>
  bool any_key(Holds holds) const {
    auto of_entry = [&](const auto& entry) { return holds(entry.first); };
    return many() ? std::ranges::any_of(*many(), of_entry) : std::ranges::any_of(row(), of_entry);
  }

 private:
  using None = std::monostate;
  using Entry = std::pair<Key, Value>;
  using Few = std::vector<Entry>;
  using Many = std::map<Key, Value>;
  using FewPtr = std::unique_ptr<Few>;
  using ManyPtr = std::unique_ptr<Many>;

  const Many* many() const noexcept {
    const auto* all = std::get_if<ManyPtr>(&entries_);
    return all != nullptr ? all->get() : nullptr;
  }
  Many* many() noexcept { return const_cast<Many*>(std::as_const(*this).many()); }
  /// What stands in order, where there are not many.
  std::span<const Entry> row() const noexcept {
    if (const auto* one = std::get_if<Entry>(&entries_)) return {one, 1};
    if (const auto* block = std::get_if<FewPtr>(&entries_)) return **block;
    return {};
  }
  auto place_of(const Key& key) const { return std::ranges::lower_bound(row(), key, {}, &Entry::first); }

  /// For one more than there are.
  void make_room() {
    if (auto* one = std::get_if<Entry>(&entries_)) {
      auto block = std::make_unique<Few>();
      block->reserve(2);
      block->push_back(std::move(*one));
      entries_ = std::move(block);
    } else if (!many() && size() == few) {
      auto all = std::make_unique<Many>();
      for (auto& [key, value] : *std::get<FewPtr>(entries_)) {
        all->emplace_hint(all->end(), std::move(key), std::move(value));
      }
      entries_ = std::move(all);
    }
  }

  std::variant<None, Entry, FewPtr, ManyPtr> entries_;
};

}  // namespace troupe::realtime
