// Figures: what the endpoints of the authorization server count for operators. One for each core's endpoints; they
// count in the same metrics. No name, address or token is in a label.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "troupe/base/metrics.h"
#include "troupe/oauth/model/client.h"
#include "troupe/oauth/model/errors.h"

namespace troupe::oauth {

/// How an attempt to sign in by password ended.
enum class SignIn : std::uint8_t { ok, wrong, slow_down, busy };

class OauthFigures {
 public:
  /// `metrics` outlives it; null: it counts for nobody.
  explicit OauthFigures(base::Metrics* metrics);

  /// troupe_oauth_tokens_issued_total{grant}: answers of the token endpoint with tokens.
  void issued(GrantType grant) noexcept { issued_[static_cast<std::size_t>(grant)]->add(); }
  /// troupe_oauth_refused_total{endpoint,error}: refusals, by the error that the client was told. Takes a lock.
  void refused(std::string_view endpoint, const OauthError& error) { refusals(endpoint, error).add(); }
  /// troupe_oauth_introspections_total{active}.
  void introspected(bool is_active) noexcept { introspections_[is_active ? 1 : 0]->add(); }
  /// troupe_oauth_revocations_total: answers of the revocation endpoint, also about tokens that nobody knows.
  void revoked() noexcept { revocations_->add(); }
  /// troupe_oauth_sign_ins_total{outcome}.
  void signed_in(SignIn outcome) noexcept { sign_ins_[static_cast<std::size_t>(outcome)]->add(); }

 private:
  static constexpr std::size_t grants = 3, outcomes = 4;

  base::Counter& refusals(std::string_view endpoint, const OauthError& error);

  std::unique_ptr<base::Metrics> nobodys_;
  base::Metrics& metrics_;
  std::array<base::Counter*, grants> issued_{};
  std::array<base::Counter*, 2> introspections_{};
  std::array<base::Counter*, outcomes> sign_ins_{};
  base::Counter* revocations_;
};

}  // namespace troupe::oauth
