// See figures.h.
#include "troupe/oauth/endpoint/figures.h"

#include <string>

namespace troupe::oauth {

OauthFigures::OauthFigures(base::Metrics* metrics)
    : nobodys_(metrics == nullptr ? std::make_unique<base::Metrics>() : nullptr),
      metrics_(metrics == nullptr ? *nobodys_ : *metrics),
      revocations_(&metrics_.counter("troupe_oauth_revocations_total", "Answers of the revocation endpoint.")) {
  for (const GrantType grant :
       {GrantType::authorization_code, GrantType::refresh_token, GrantType::client_credentials}) {
    issued_.at(static_cast<std::size_t>(grant)) =
        &metrics_.counter("troupe_oauth_tokens_issued_total", "Answers of the token endpoint with tokens.",
                          {{"grant", std::string{text(grant)}}});
  }
  for (const bool is_active : {false, true}) {
    introspections_.at(is_active ? 1 : 0) =
        &metrics_.counter("troupe_oauth_introspections_total", "Tokens that were introspected, each of a batch.",
                          {{"active", is_active ? "true" : "false"}});
  }
  constexpr std::array<const char*, outcomes> names{"ok", "wrong", "slow_down", "busy"};
  for (std::size_t i = 0; i < outcomes; ++i) {
    sign_ins_.at(i) = &metrics_.counter("troupe_oauth_sign_ins_total", "Attempts to sign in by name and password.",
                                        {{"outcome", names.at(i)}});
  }
  // What somebody may be woken for is there from the start: a rise is seen only of what was shown before.
  for (const auto& error : {errors::invalid_client, errors::invalid_grant, errors::temporarily_unavailable})
    (void)refusals("token", error);
}

base::Counter& OauthFigures::refusals(std::string_view endpoint, const OauthError& error) {
  return metrics_.counter("troupe_oauth_refused_total",
                          "Requests that were refused, by the error that the client was told.",
                          {{"endpoint", std::string{endpoint}}, {"error", std::string{error.code}}});
}

}  // namespace troupe::oauth
