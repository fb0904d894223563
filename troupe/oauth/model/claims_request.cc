// See claims_request.h.
#include "troupe/oauth/model/claims_request.h"

#include <algorithm>
#include <array>
#include <vector>

#include "troupe/wire/json.h"

namespace troupe::oauth {
namespace {

using wire::Json;

constexpr std::size_t claims_bytes_max = 4 * 1024;
constexpr std::size_t kept_bytes_max = 6 * claims_bytes_max;  // an escape may be written longer than it was read
constexpr std::size_t claims_max = 50;
constexpr std::size_t depth_max = 16;  // what others have defined, and nobody here reads, is deep (section 5.5.1)

struct ShownBy {
  std::string_view claim;
  std::string_view scope;
};
constexpr std::array shown_by = {ShownBy{"preferred_username", "profile"}, ShownBy{"email", "email"}};

std::unexpected<OauthError> malformed() {
  return std::unexpected(errors::invalid_request.because("The parameter claims is malformed."));
}

/// A member of the document: null, or an object of claims, each of which is null or an object that says more.
bool is_sound(const Json* member) {
  if (member == nullptr || member->is_null()) return true;
  if (member->object() == nullptr || member->object()->size() > claims_max) return false;
  return std::ranges::all_of(*member->object(), [](const auto& claim) {
    const Json* essential = claim.value.find("essential");
    const Json* values = claim.value.find("values");
    return (claim.value.is_null() || claim.value.object() != nullptr) &&
           (essential == nullptr || essential->boolean() != nullptr) &&
           (values == nullptr || values->array() != nullptr);
  });
}

/// Whether the claim is asked for with values of which none is `ours`.
bool excludes(const Json& claim, std::string_view ours) {
  const auto is_ours = [&](const Json& value) { return value.string() != nullptr && *value.string() == ours; };
  const Json* value = claim.find("value");
  const Json* values = claim.find("values");
  if (value == nullptr && values == nullptr) return false;
  if (value != nullptr && is_ours(*value)) return false;
  return values == nullptr || !std::ranges::any_of(*values->array(), is_ours);
}

/// The values that the claim may have, none for any; or nothing, where none of ours could be one of them.
std::optional<std::vector<std::string>> values_of(const Json& claim) {
  std::vector<std::string> texts;
  const auto take = [&](const Json& value) {
    if (value.string() != nullptr) texts.push_back(*value.string());
  };
  const Json* value = claim.find("value");
  const Json* values = claim.find("values");
  if (value != nullptr) take(*value);
  if (values != nullptr) std::ranges::for_each(*values->array(), take);
  const bool is_any = value == nullptr && values == nullptr;
  return is_any || !texts.empty() ? std::optional{std::move(texts)} : std::nullopt;
}

/// What `ClaimsRequest::id_token` says: {"email":["a@example.org"]}, with each claim that we have and its values.
std::string wanted_in(const Json& id_token) {
  std::string text;
  wire::JsonWriter writer{text};
  writer.begin_object();
  bool is_empty = true;
  for (const ShownBy& each : shown_by) {
    const Json* claim = id_token.find(each.claim);
    const auto values = claim == nullptr ? std::nullopt : values_of(*claim);
    if (!values) continue;
    is_empty = false;
    writer.key(each.claim).begin_array();
    for (const std::string& value : *values) writer.value(value);
    writer.end_array();
  }
  writer.end_object();
  return is_empty ? "" : text;
}

bool is_essential(const Json& claim) {
  const Json* essential = claim.find("essential");
  return essential != nullptr && *essential->boolean();
}

}  // namespace

std::expected<ClaimsRequest, OauthError> read_claims_request(std::string_view text) {
  ClaimsRequest request;
  if (text.empty()) return request;
  const auto document = wire::parse_json(text, {.bytes_max = claims_bytes_max, .depth_max = depth_max});
  if (!document || document->object() == nullptr) return malformed();
  const Json* userinfo = document->find("userinfo");
  const Json* id_token = document->find("id_token");
  if (!is_sound(userinfo) || !is_sound(id_token)) return malformed();

  for (const Json* member : {userinfo, id_token}) {
    if (member == nullptr) continue;
    for (const ShownBy& each : shown_by) {
      if (member->find(each.claim) == nullptr) continue;
      request.scopes = request.scopes.united_with(ScopeSet::parse(each.scope).value());
    }
  }
  if (id_token == nullptr) return request;
  request.id_token = wanted_in(*id_token);
  if (const Json* acr = id_token->find("acr"))
    request.is_acr_unmet = is_essential(*acr) && excludes(*acr, acr_password);
  if (const Json* subject = id_token->find("sub")) {
    const Json* value = subject->find("value");
    if (value != nullptr && value->string() == nullptr) return malformed();
    if (value != nullptr) request.subject = UserId{*value->string()};
    const Json* values = subject->find("values");
    const auto* list = values != nullptr ? values->array() : nullptr;
    if (list != nullptr && list->size() == 1 && list->front().string() != nullptr)
      request.subject = UserId{*list->front().string()};  // a choice of one
  }
  return request;
}

bool is_wanted(std::string_view id_token, std::string_view claim, std::string_view value) {
  if (id_token.empty()) return false;
  const auto document = wire::parse_json(id_token, {.bytes_max = kept_bytes_max, .depth_max = 3});
  if (!document) return false;  // it comes out of a row, which may be damaged: no claim is told that nobody can read
  const Json* values = document->find(claim);
  if (values == nullptr || values->array() == nullptr) return false;
  const auto is_it = [&](const Json& each) { return each.string() != nullptr && *each.string() == value; };
  return values->array()->empty() || std::ranges::any_of(*values->array(), is_it);
}

}  // namespace troupe::oauth
