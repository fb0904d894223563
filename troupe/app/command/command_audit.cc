// `troupe audit verify | list | head`: what was decided, and whether the trail of it is whole.
#include <fmt/format.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <utility>

#include "troupe/app/command/admin_work.h"
#include "troupe/app/command/moment.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/storage/audit_json.h"
#include "troupe/oauth/storage/audit_kinds.h"
#include "troupe/oauth/storage/audit_verifier.h"
#include "troupe/wire/hex.h"

namespace troupe::app {
namespace {

constexpr int page_rows = 500;

struct AuditCommand {
  std::string checkpoint;
  std::optional<std::string> since, until, kind, user, client, family, request;
  int limit = 100;
  bool json = false;
};

crypto::Digest read_hash(const std::string& text) {
  crypto::Digest digest;
  const auto bytes = wire::from_hex(text);
  if (!bytes || bytes->size() != digest.bytes.size()) {
    throw WrongUsage{"--checkpoint wants 64 hexadecimal digits"};
  }
  std::ranges::copy(*bytes, digest.bytes.begin());
  return digest;
}

Exit verify(Invocation& invocation, const AuditCommand& command, AdminWork& admin) {
  std::optional<crypto::Digest> wanted;
  if (!command.checkpoint.empty()) wanted = read_hash(command.checkpoint);
  const oauth::AuditPages pages{
      .rows =
          [&](const std::optional<crypto::TokenId>& after, int count) {
            return admin.look([&](oauth::Tables& t) { return t.audit.readings_after(after, count); });
          },
      .checkpoints =
          [&](std::int64_t after, int count) {
            return admin.look([&](oauth::Tables& t) { return t.audit.checkpoints_after(after, count); });
          }};
  const auto verdict = oauth::verify_audit(pages, wanted);
  if (verdict.fault) {
    invocation.console.err(fmt::format("troupe: the audit trail is not whole: {}\n", *verdict.fault));
    invocation.console.err(fmt::format("        {} events before it fit\n", verdict.events));
    return Exit::failure;
  }
  invocation.say(fmt::format("{} events are whole, in {} closed segments and the open one", verdict.events,
                             verdict.segments_closed - verdict.segments_removed));
  if (verdict.segments_removed > 0)
    invocation.say(fmt::format("{} older segments were removed after their time", verdict.segments_removed));
  if (verdict.leaving > 0)
    invocation.say(fmt::format("{} events of removed segments are there still, and go soon", verdict.leaving));
  if (verdict.unchained > 0)
    invocation.say(fmt::format("{} events are older than the chain: nothing vouches for them", verdict.unchained));
  invocation.say(fmt::format("newest hash {}", crypto::hex(verdict.newest.view())));
  return Exit::success;
}

void head(Invocation& invocation, const AuditCommand& command, AdminWork& admin) {
  struct Heads {
    std::optional<oauth::AuditHead> event;
    std::optional<oauth::AuditCheckpoint> checkpoint;
  };
  const auto heads = admin.look([](oauth::Tables& t) { return Heads{t.audit.head(), t.audit.newest_checkpoint()}; });
  const bool has_event = heads.event && heads.event->hash;
  const std::string event = has_event ? crypto::hex(heads.event->hash->view()) : "";
  const std::string checkpoint = heads.checkpoint ? crypto::hex(heads.checkpoint->hash.view()) : "";
  if (command.json) {
    std::string out;
    wire::JsonWriter writer{out};
    writer.begin_object();
    if (has_event) writer.member("event", event).member("event_id", heads.event->id.text());
    if (heads.checkpoint) writer.member("checkpoint", checkpoint).member("segment", heads.checkpoint->segment);
    writer.end_object();
    return invocation.say(out);
  }
  if (!has_event && !heads.checkpoint) return invocation.say("there are no events yet");
  if (heads.checkpoint)
    invocation.say(fmt::format("checkpoint  {}  of segment {}, for good", checkpoint, heads.checkpoint->segment));
  if (has_event)
    invocation.say(fmt::format("event       {}  of {} UTC, until its segment is removed", event,
                               moment_text(heads.event->id.time())));
}

std::optional<crypto::TokenId> read_bound(const AdminWork& admin, const char* flag,
                                          const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const auto moment = read_moment(*text, admin.now());
  if (!moment) throw WrongUsage{fmt::format("{} wants a moment such as 2026-01-31, 2026-01-31T12:00 or 24h", flag)};
  return crypto::TokenId::first_at(*moment);
}

/// As events have it, of a name, an id, or that very hash.
std::string hash_of_user(AdminWork& admin, const std::string& user) {
  constexpr std::size_t hash_characters = 16;
  const auto known = admin.look([&](oauth::Tables& t) {
    auto by_id = t.users.find(oauth::UserId{user});
    return by_id ? by_id : t.users.find_by_name(oauth::UserName{user});
  });
  if (known) return oauth::audit_name_of(known->user.id);
  if (user.starts_with("u_")) return oauth::audit_name_of(oauth::UserId{user});  // of one who was removed
  const bool is_hash = user.size() == hash_characters && user.find_first_not_of("0123456789abcdef") == user.npos;
  if (!is_hash) throw CommandFailed{fmt::format("there is no user \"{}\"; of one who was removed give the id", user)};
  return user;
}

/// A client that there is, or one that was removed and has left events.
oauth::ClientId client_of(AdminWork& admin, const std::string& text) {
  const oauth::ClientId id{text};
  const bool is_known = admin.look([&](oauth::Tables& t) {
    return t.clients.find_row(id).has_value() || !t.audit.matching({.client = id}, 1).empty();
  });
  if (!is_known) throw CommandFailed{fmt::format("there is no client \"{}\", and no event of one", text)};
  return id;
}

void check_words(const AuditCommand& command) {
  if (command.kind && !oauth::is_audit_kind(*command.kind)) {
    throw WrongUsage{
        fmt::format("--kind \"{}\" is no kind of event, such as code_redeemed or custom.invoice_paid", *command.kind)};
  }
  if (command.request && command.request->empty()) throw WrongUsage{"--request wants an X-Request-Id"};
}

oauth::AuditFilter filter_of(const AuditCommand& command, AdminWork& admin) {
  check_words(command);
  oauth::AuditFilter filter{.from = read_bound(admin, "--since", command.since),
                            .before = read_bound(admin, "--until", command.until)};
  filter.kind = command.kind;
  filter.request = command.request;
  if (command.user) filter.user = hash_of_user(admin, *command.user);
  if (command.client) filter.client = client_of(admin, *command.client);
  if (command.family) {
    if (!crypto::TokenId::parse(*command.family)) throw WrongUsage{"--family wants 22 characters, as events show it"};
    filter.family = oauth::FamilyId{*command.family};
  }
  return filter;
}

std::string line_of(const oauth::AuditEvent& event) {
  std::string line = fmt::format("{}  {}", moment_text(event.id.time()), event.kind);
  if (!event.reason.empty()) line += fmt::format("  ({})", event.reason);
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) line += fmt::format("  {}={}", name, value);
  };
  add("client", event.client ? event.client->value() : "");
  add("user", event.user.value_or(""));
  add("family", event.family ? event.family->value() : "");
  add("token", event.token ? event.token->text() : "");
  add("request", event.request);
  add("by", event.done_by);
  return line;
}

void list(Invocation& invocation, const AuditCommand& command, AdminWork& admin) {
  oauth::AuditFilter filter = filter_of(command, admin);
  std::string json;
  wire::JsonWriter writer{json};
  if (command.json) writer.begin_array();
  for (int left = command.limit; left > 0;) {
    const int wanted = std::min(left, page_rows);
    const auto page = admin.look([&](oauth::Tables& t) { return t.audit.matching(filter, wanted); });
    for (const oauth::AuditEvent& event : page) {
      if (!command.json) {
        invocation.say(line_of(event));
        continue;
      }
      oauth::write_event(writer, event);
      invocation.console.out(std::exchange(json, {}));
    }
    if (std::ssize(page) < wanted) break;
    left -= wanted;
    filter.before = page.back().id;
  }
  if (!command.json) return;
  writer.end_array();
  invocation.say(json);
}

}  // namespace

void add_audit_commands(CLI::App& root, Invocation& invocation) {
  auto* audit = root.add_subcommand("audit", "What was decided, and whether the trail of it is whole");
  audit->require_subcommand(1);

  auto [verify_app, verifying] = add_admin_command<AuditCommand>(
      *audit, invocation, "verify", "Walk the chain of hashes; status 1 and the first event that does not fit", verify);
  verify_app->add_option("--checkpoint", verifying->checkpoint, "A hash of `audit head` that was kept elsewhere")
      ->type_name("HASH");

  auto [list_app, listing] =
      add_admin_command<AuditCommand>(*audit, invocation, "list", "List events, the newest first", list);
  list_app->add_option("--since", listing->since, "From this moment: 2026-01-31, 2026-01-31T12:00, or 24h (ago)");
  list_app->add_option("--until", listing->until, "Before this moment");
  list_app->add_option("--kind", listing->kind, "Of this kind: code_redeemed");
  list_app->add_option("--user", listing->user, "About this user: a name, an id, or the hash that events show");
  list_app->add_option("--client", listing->client, "About this client");
  list_app->add_option("--family", listing->family, "About the tokens of this grant");
  list_app->add_option("--request", listing->request, "Of the request with this X-Request-Id");
  list_app->add_option("--limit", listing->limit, "At most so many")->check(CLI::Range(1, 1'000'000'000));
  list_app->add_flag("--json", listing->json, "Print JSON");

  auto [head_app, heading] =
      add_admin_command<AuditCommand>(*audit, invocation, "head", "The newest hashes, to be kept elsewhere", head);
  head_app->add_flag("--json", heading->json, "Print JSON");
}

}  // namespace troupe::app
