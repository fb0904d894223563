// ByNamespace: figures of one core for each namespace that the configuration names, and for
// all other topics together.
//
// A stranger who invents topics makes no new entry. A namespace that the configuration does
// not name any more keeps its entry, so that no counter ever goes back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "troupe/realtime/protocol/topic_name.h"
#include "troupe/realtime/topic/settings.h"

namespace troupe::realtime {

template <class Figures>
class ByNamespace {
 public:
  using Named = std::map<std::string, Figures, std::less<>>;
  static constexpr std::string_view other_name = "other";  // a namespace of this name is counted with those of none

  /// From now on the namespaces of these settings have entries, too. Those that there are keep their addresses.
  void use(const RealtimeSettings& settings) {
    for (const auto& [name, options] : settings.namespaces()) {
      if (name != other_name) named_.try_emplace(name);
    }
  }

  /// All entries as they began.
  void reset() {
    for (auto& [name, figures] : named_) figures = {};
    other_ = {};
  }

  /// Where a topic, or the topics of a pattern, are counted. Allocates nothing.
  Figures& of(std::string_view topic) noexcept {
    if (named_.empty()) return other_;
    auto found = named_.find(take_segment(topic));
    return found == named_.end() ? other_ : found->second;
  }

  /// Adds figures of another kind, or of another core; `add(sum, one)` adds one entry.
  template <class Others, class Add>
  void merge(const ByNamespace<Others>& figures, Add&& add) {
    for (const auto& [name, one] : figures.named()) add(named_[name], one);
    add(other_, figures.other());
  }

  const Named& named() const noexcept { return named_; }
  const Figures& other() const noexcept { return other_; }

 private:
  Named named_;
  Figures other_{};
};

/// What one core has done and holds of the topics of a namespace.
struct NamespaceFigures {
  std::uint64_t published = 0;  // here, as their home
  std::uint64_t delivered = 0;
  std::uint64_t spilled = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t history_bytes = 0;
};

}  // namespace troupe::realtime
