// Scopes (RFC 6749, section 3.3) as a set: no order, no doubles, so two texts of the same
// scopes are the same value.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::oauth {

enum class ScopeError { bad_character, too_many };

/// Whether the word is what it looks like: one that begins with "topic:" is the scope of a topic (wire/topic_scope.h),
/// and no slip of one, which would open nothing.
bool is_well_meant(std::string_view scope);

class ScopeSet {
 public:
  static constexpr std::size_t tokens_max = 100;  // far more than any client means

  ScopeSet() = default;

  /// Reads scope tokens separated by single spaces; "" is the empty set. Errors: a character outside
  /// %x21 / %x23-5B / %x5D-7E, an empty token, more than `tokens_max`.
  static std::expected<ScopeSet, ScopeError> parse(std::string_view text);

  bool contains(std::string_view token) const noexcept;
  /// Whether somebody who was given `most` may ask for this: each token is in it, or narrower than one that is
  /// (`wire::scope_covers`).
  bool is_within(const ScopeSet& most) const noexcept;
  /// Those of its tokens that are within `most`.
  ScopeSet part_within(const ScopeSet& most) const;
  ScopeSet intersection(const ScopeSet& other) const;
  ScopeSet united_with(const ScopeSet& other) const;
  ScopeSet without(std::string_view token) const;

  bool empty() const noexcept { return tokens_.empty(); }
  auto begin() const noexcept { return tokens_.begin(); }
  auto end() const noexcept { return tokens_.end(); }

  /// The tokens in alphabetical order, separated by spaces. Reads back as the same set.
  std::string text() const;

  friend bool operator==(const ScopeSet&, const ScopeSet&) = default;

 private:
  std::vector<std::string> tokens_;  // sorted, unique
};

}  // namespace troupe::oauth
