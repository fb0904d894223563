// See documents.h.
#include "troupe/oauth/admin/documents.h"

#include <string>
#include <vector>

namespace troupe::oauth::admin {
namespace {

void write_list(wire::JsonWriter& writer, std::string_view name, const std::vector<std::string>& texts) {
  writer.key(name).begin_array();
  for (const std::string& text : texts) writer.value(text);
  writer.end_array();
}

}  // namespace

void write_user_members(wire::JsonWriter& writer, const User& user) {
  writer.member("sub", user.id.value()).member("preferred_username", user.name.value());
  if (user.email) writer.member("email", *user.email);
  writer.member("enabled", user.state == UserState::enabled).member("created_at", user.created_at.seconds());
}

void write_user(wire::JsonWriter& writer, const User& user) {
  writer.begin_object();
  write_user_members(writer, user);
  writer.end_object();
}

void write_session(wire::JsonWriter& writer, const Session& session) {
  writer.begin_object()
      .member("sid", session.id.value())
      .member("sub", session.authentication.user.value())
      .member("created_at", session.created_at.seconds())
      .member("auth_time", session.authentication.time.seconds())
      .member("seen_at", session.seen_at.seconds())
      .member("user_agent", session.place.user_agent)
      .member("address", session.place.address)
      .end_object();
}

void write_grant(wire::JsonWriter& writer, const LiveGrant& row) {
  const Grant& grant = row.grant;
  writer.begin_object()
      .member("grant", grant.family.value())
      .member("client_id", grant.client.value())
      .member("sub", grant.subject())
      .member("scope", grant.scope.text());
  write_list(writer, "aud", grant.audience);
  if (const auto& by = grant.authentication) {
    writer.member("sid", by->session.value()).member("auth_time", by->time.seconds());
  }
  writer.member("exp", row.expires_at.seconds()).end_object();
}

void write_token(wire::JsonWriter& writer, const TokenClaims& token) {
  writer.begin_object()
      .member("jti", token.id.text())
      .member("use", token.use == TokenUse::access ? "access" : "refresh")
      .member("grant", token.family.value())
      .member("client_id", token.client.value())
      .member("sub", token.subject)
      .member("scope", token.scope.text());
  write_list(writer, "aud", token.audience);
  if (token.session) writer.member("sid", token.session->value());
  writer.member("iat", token.issued_at.seconds()).member("exp", token.expires_at.seconds()).end_object();
}

void write_key(wire::JsonWriter& writer, const ListedKey& key) {
  writer.begin_object().member("kid", key.id).member("alg", crypto::name_of(key.algorithm)).member("state", key.state);
  if (!key.jwk.empty()) writer.key("jwk").raw(key.jwk);
  writer.member("created_at", key.created_at.seconds())
      .member("signs_from", key.signs_from.seconds())
      .member("signs_until", key.signs_until.seconds())
      .member("shown_until", key.retired_at.seconds())
      .end_object();
}

}  // namespace troupe::oauth::admin
