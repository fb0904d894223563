// `troupe explain ID`: what was decided about a request, a token, a code or a grant, and why.
#include <fmt/format.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <expected>
#include <iterator>
#include <map>
#include <set>

#include "troupe/app/command/admin_work.h"
#include "troupe/app/command/audit_words.h"
#include "troupe/oauth/actor/liveness.h"
#include "troupe/oauth/model/token.h"

namespace troupe::app {
namespace {

constexpr int events_max = 1000;  // of each question; the newest

using oauth::AuditEvent;
using oauth::FamilyId;

/// What is known about one id, oldest first.
struct Story {
  std::map<crypto::TokenId, AuditEvent> events;
  std::set<FamilyId> families;
  std::vector<std::string> states;  // how it stands now, as sentences
  bool is_cut = false;              // there were more events
};

void add(Story& story, oauth::Tables& tables, const oauth::AuditFilter& filter) {
  const auto found = tables.audit.matching(filter, events_max);
  story.is_cut = story.is_cut || std::ssize(found) == events_max;
  for (const AuditEvent& event : found) {
    story.events.emplace(event.id, event);
    if (event.family) story.families.insert(*event.family);
  }
}

/// Why what would be good by its own row is not accepted all the same, but for the lapse that does not count there.
std::optional<std::string> fault_in(const std::expected<oauth::Standing, oauth::Lapse>& judged,
                                    std::optional<oauth::Lapse> passed_over = {}) {
  if (judged || judged.error() == passed_over) return std::nullopt;
  return fmt::format("It is not accepted: {}.", oauth::sentence(judged.error()));
}

std::vector<std::string> states_of(oauth::Tables& tables, const oauth::AccessRecord& access, base::UnixTime now) {
  const bool is_over = access.expires_at <= now;
  std::vector<std::string> states{fmt::format("It is an access token of client {} for \"{}\"; it {} {} UTC.",
                                              access.grant.client.value(), access.grant.scope.text(),
                                              is_over ? "expired at" : "expires at", moment_text(access.expires_at))};
  if (access.revoked_at) {
    states.push_back(fmt::format("It was taken back at {} UTC.", moment_text(*access.revoked_at)));
  } else if (!is_over) {
    const auto judged = oauth::judge_unseen(tables, access, tables.keys.signing_times(), now);
    if (auto fault = fault_in(judged)) states.push_back(*std::move(fault));
  }
  return states;
}

std::vector<std::string> states_of(oauth::Tables& tables, const oauth::RefreshRecord& refresh, base::UnixTime now) {
  if (refresh.rotated_at)
    return {fmt::format("It is a refresh token that was used at {} UTC.", moment_text(*refresh.rotated_at))};
  std::vector<std::string> states{fmt::format("It is a refresh token that nobody has used up, good until {} UTC.",
                                              moment_text(refresh.expires_at))};
  const auto family = tables.grants.find_family(refresh.family);
  if (!family || refresh.expires_at <= now) return states;
  if (auto fault = fault_in(oauth::judge_standing(tables, family->grant))) states.push_back(*std::move(fault));
  return states;
}

std::vector<std::string> states_of(oauth::Tables& tables, const oauth::AuthCode& code, base::UnixTime now) {
  const bool is_used = code.state == oauth::CodeState::used;
  // Redeeming opens the family.
  const bool has_family = tables.grants.find_family(code.grant.family).has_value();
  const char* used = has_family ? "was redeemed" : "was called back before anybody redeemed it";
  std::vector<std::string> states{fmt::format("It is a code that {}, and was good until {} UTC.",
                                              is_used ? used : "nobody has redeemed", moment_text(code.expires_at))};
  if (is_used || code.expires_at <= now) return states;
  if (auto fault = fault_in(oauth::judge_standing(tables, code.grant), oauth::Lapse::grant_over))
    states.push_back(*std::move(fault));
  return states;
}

void tell_state(Story& story, oauth::Tables& tables, const crypto::TokenId& id, base::UnixTime now) {
  const auto tell = [&](const FamilyId& family, std::vector<std::string> states) {
    story.families.insert(family);
    std::ranges::move(states, std::back_inserter(story.states));
  };
  if (const auto access = tables.grants.find_access(id)) tell(access->grant.family, states_of(tables, *access, now));
  if (const auto refresh = tables.grants.find_refresh(id)) tell(refresh->family, states_of(tables, *refresh, now));
  if (const auto code = tables.grants.find_code(id)) tell(code->grant.family, states_of(tables, *code, now));
}

void tell_family(Story& story, oauth::Tables& tables, const FamilyId& id, base::UnixTime now) {
  const auto family = tables.grants.find_family(id);
  if (!family) return;
  const bool is_over = family->expires_at <= now;
  const std::string end =
      family->revoked_at
          ? fmt::format("was taken back at {} UTC ({})", moment_text(*family->revoked_at), family->revoked_because)
          : fmt::format("{} at {} UTC{}", is_over ? "ended" : "ends", moment_text(family->expires_at),
                        !is_over && oauth::ends_with_session(family->grant) ? ", or with its session before that" : "");
  story.states.push_back(fmt::format("The grant {} to client {} for \"{}\" {}.", id.value(),
                                     family->grant.client.value(), family->grant.scope.text(), end));
  if (family->revoked_at || is_over) return;
  const auto judged = oauth::judge_standing(tables, family->grant);
  if (!judged)
    story.states.push_back(fmt::format("Nothing of this grant is accepted: {}.", oauth::sentence(judged.error())));
}

/// An id of ours, or nothing: then it can only be that of a request.
std::optional<crypto::TokenId> id_of(const std::string& text) {
  if (auto id = crypto::TokenId::parse(text)) return id;
  return oauth::unproven_id(text);
}

Story story_of(oauth::Tables& tables, const std::string& text, base::UnixTime now) {
  Story story;
  if (const auto id = id_of(text)) {
    tell_state(story, tables, *id, now);
    // Nothing can have been said about it before it was made; clocks may differ a little.
    const auto from = crypto::TokenId::first_at(id->time() - std::chrono::hours{1});
    add(story, tables, {.from = from, .token = *id});
    story.families.insert(FamilyId{id->text()});
    for (const FamilyId& family : std::set{story.families}) {
      const auto begun = crypto::TokenId::parse(family.value());
      const auto family_from = crypto::TokenId::first_at(begun->time() - std::chrono::hours{1});
      add(story, tables, {.from = family_from, .family = family});
    }
    for (const FamilyId& family : story.families) tell_family(story, tables, family, now);
  }
  if (story.events.empty() && story.states.empty()) add(story, tables, {.request = text});
  return story;
}

Exit explain(Invocation& invocation, const std::string& text, AdminWork& admin) {
  if (text.empty()) throw WrongUsage{"ID wants an X-Request-Id, or the id of a token, code or grant"};
  const auto story = admin.look([&](oauth::Tables& t) { return story_of(t, text, admin.now()); });
  if (story.events.empty() && story.states.empty()) {
    invocation.console.err(
        "troupe: nothing is known of this id. Introspections leave no trace, nor does what was refused as malformed or "
        "by the authorization endpoint; of many refusals in a second some are only counted; and events are removed "
        "after oauth.audit_retention\n");
    return Exit::failure;
  }
  if (story.is_cut) invocation.say(fmt::format("Only the newest {} events are told.", events_max));
  for (const auto& [id, event] : story.events) {
    const std::string request = event.request.empty() ? "" : fmt::format("  [request {}]", event.request);
    invocation.say(fmt::format("{} UTC  {}{}", moment_text(id.time()), in_words(event), request));
  }
  for (const std::string& sentence : story.states) invocation.say(sentence);
  return Exit::success;
}

}  // namespace

void add_explain_command(CLI::App& root, Invocation& invocation) {
  auto [sub, text] = add_admin_command<std::string>(
      root, invocation, "explain", "Tell what was decided about a request, token, code or grant, and why", explain);
  sub->add_option("ID", *text, "An X-Request-Id, or the public id (jti) of a token, code or grant")->required();
}

}  // namespace troupe::app
