// See ledger.h.
#include "tools/oauth_chaos/ledger.h"

#include <fmt/format.h>

namespace troupe::oauth_chaos {

/// Enough to find it again in the events.
std::string Ledger::shown(const std::string& text) {
  return text.size() <= 24 ? text : text.substr(0, 6) + ".." + text.substr(text.size() - 12);
}

void Ledger::note(std::string what) {
  ++count_;
  events_.push_back(fmt::format("{} [burst {}] {}", count_, burst_, what));
  if (events_.size() > events_max_) events_.pop_front();
}

void Ledger::violate(const std::string& what) {
  note("VIOLATION: " + what);
  violations_.push_back({count_, what});
}

void Ledger::begin_burst(const std::string& why) {
  ++burst_;
  note("burst: " + why);
}

void Ledger::code_sent(const std::string& code, std::size_t times) {
  Code& known = codes_[code];
  families_.try_emplace(code, Fate::alive);
  known.sent += times;
  note(fmt::format("code {} is shown {} times", shown(code), times));
  if (known.sent > 1) family_ending(code);
}

void Ledger::code_answered(const std::string& code, Outcome outcome) {
  Code& known = codes_[code];
  if (outcome == Outcome::granted) {
    note(fmt::format("code {} is granted", shown(code)));
    if (known.is_granted) violate(fmt::format("code {} was granted twice", shown(code)));
    if (known.refused_in && *known.refused_in < burst_)
      violate(fmt::format("code {} was granted after it had been refused as used", shown(code)));
    known.is_granted = true;
  } else if (outcome == Outcome::refused) {
    // All redemptions are right, so one that is refused has found the code used: that ends what it gave.
    if (known.sent < 2 && !known.is_granted) violate(fmt::format("code {} was refused at its first use", shown(code)));
    if (!known.refused_in) known.refused_in = burst_;
    family_ended(code, "its code was shown again");
  }
}

void Ledger::issued(const std::string& token, const std::string& family) {
  note(fmt::format("token {} of {}", shown(token), family.empty() ? "a client" : shown(family)));
  if (!family.empty()) families_.try_emplace(family, Fate::alive);
  tokens_.try_emplace(token, Token{family, Fate::alive});
}

void Ledger::token_ending(const std::string& token) {
  Token& known = tokens_[token];
  if (known.fate == Fate::alive) known.fate = Fate::open;
}

void Ledger::token_ended(const std::string& token) {
  note(fmt::format("token {} is over", shown(token)));
  tokens_[token].fate = Fate::over;
}

void Ledger::family_ending(const std::string& family) {
  Fate& fate = families_[family];
  if (fate == Fate::alive) fate = Fate::open;
}

void Ledger::family_ended(const std::string& family, const std::string& why) {
  Fate& fate = families_[family];
  if (fate != Fate::over) note(fmt::format("family {} is over: {}", shown(family), why));
  fate = Fate::over;
}

void Ledger::successor_told(const std::string& used, const std::string& successor, const std::string& access) {
  const auto [at, is_new] = successors_.try_emplace(used, Pair{successor, access});
  if (is_new) note(fmt::format("refresh token {} gives {}", shown(used), shown(successor)));
  if (at->second.successor != successor)
    violate(fmt::format("refresh token {} gave {} and also {}", shown(used), shown(at->second.successor),
                        shown(successor)));
  if (at->second.access != access)
    violate(fmt::format("refresh token {} gave two access tokens, {} and {}", shown(used), shown(at->second.access),
                        shown(access)));
}

bool Ledger::is_over(const std::string& family) const {
  const auto found = families_.find(family);
  return found != families_.end() && found->second == Fate::over;
}

void Ledger::seen(const std::string& token, bool is_active) {
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) return violate(fmt::format("token {} was never given", shown(token)));
  const auto& [family, fate] = found->second;
  const Fate of_family = family.empty() ? Fate::alive : families_[family];
  if (is_active && (fate == Fate::over || of_family == Fate::over))
    violate(fmt::format("token {} of {} is alive after its end", shown(token), shown(family)));
  if (!is_active && fate == Fate::alive && of_family == Fate::alive)
    violate(fmt::format("token {} of {} was given, and nobody knows it any more", shown(token), shown(family)));
}

std::vector<std::string> Ledger::lone_tokens() const {
  std::vector<std::string> found;
  for (const auto& [text, token] : tokens_)
    if (token.family.empty() && token.fate == Fate::alive) found.push_back(text);
  return found;
}

std::vector<std::string> Ledger::tokens() const {
  std::vector<std::string> found;
  for (const auto& [text, token] : tokens_) found.push_back(text);
  return found;
}

}  // namespace troupe::oauth_chaos
