// SmallMap: a map for what most have one or two of and a few have thousands: up to eight
// entries stand in one block of memory, in their order; more stand in a std::map.
//
// For tables of which there is one for each connection.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace troupe::realtime {

template <class Key, class Value>
class SmallMap {
 public:
  static constexpr std::size_t few = 8;

  SmallMap() = default;
  SmallMap(SmallMap&&) noexcept = default;
  SmallMap& operator=(SmallMap&&) noexcept = default;
  SmallMap(const SmallMap& other)
      : few_(other.few_), many_(other.many_ ? std::make_unique<Many>(*other.many_) : nullptr) {}
  SmallMap& operator=(const SmallMap& other) {
    SmallMap copy{other};
    return *this = std::move(copy);
  }

  bool empty() const noexcept { return size() == 0; }
  std::size_t size() const noexcept { return many_ ? many_->size() : few_.size(); }
  bool contains(const Key& key) const { return const_cast<SmallMap*>(this)->find(key) != nullptr; }

  /// Null where there is none.
  Value* find(const Key& key) {
    if (many_) {
      auto found = many_->find(key);
      return found == many_->end() ? nullptr : &found->second;
    }
    auto place = place_of(key);
    return place != few_.end() && place->first == key ? &place->second : nullptr;
  }

  /// The entry of `key`, and whether it was added with this value.
  std::pair<Value*, bool> try_emplace(const Key& key, Value value = {}) {
    if (auto* known = find(key)) return {known, false};
    if (!many_ && few_.size() == few) move_to_many();
    if (many_) return {&many_->emplace(key, std::move(value)).first->second, true};
    return {&few_.emplace(place_of(key), key, std::move(value))->second, true};
  }
  void insert_or_assign(const Key& key, Value value) {
    auto [place, fresh] = try_emplace(key, value);
    if (!fresh) *place = std::move(value);
  }
  /// False where there is none.
  bool erase(const Key& key) {
    if (many_) {
      const bool was_there = many_->erase(key) > 0;
      if (many_->empty()) many_.reset();
      return was_there;
    }
    auto place = place_of(key);
    if (place == few_.end() || place->first != key) return false;
    few_.erase(place);
    if (few_.empty()) few_ = {};
    return true;
  }
  void clear() noexcept {
    few_ = {};
    many_.reset();
  }

  /// Calls `visit(key, value)` for each entry, in the order of the keys. The map must not be changed meanwhile.
  template <class Visit>
  void for_each(Visit visit) const {
    if (many_) {
      for (const auto& [key, value] : *many_) visit(key, value);
    } else {
      for (const auto& [key, value] : few_) visit(key, value);
    }
  }
  /// Whether `holds(key)` is true of any.
  template <class Holds>
  bool any_key(Holds holds) const {
    auto of_entry = [&](const auto& entry) { return holds(entry.first); };
    return many_ ? std::ranges::any_of(*many_, of_entry) : std::ranges::any_of(few_, of_entry);
  }

 private:
  using Many = std::map<Key, Value>;

  auto place_of(const Key& key) {
    return std::ranges::lower_bound(few_, key, {}, [](const auto& entry) -> const Key& { return entry.first; });
  }
  void move_to_many() {
    many_ = std::make_unique<Many>();
    for (auto& [key, value] : few_) many_->emplace_hint(many_->end(), std::move(key), std::move(value));
    few_ = {};
  }

  std::vector<std::pair<Key, Value>> few_;
  std::unique_ptr<Many> many_;  // null while there are few; then it alone has them
};

}  // namespace troupe::realtime
