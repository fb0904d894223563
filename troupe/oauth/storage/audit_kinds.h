// The kinds of events that the audit trail has, each with its words: what the server itself notes, and `custom.` for
// what others have it note. Whoever adds a kind adds a row.
#pragma once

#include <optional>
#include <string_view>

namespace troupe::oauth {

/// What an event of this kind says, as a sentence without its end: "A code was redeemed". Nothing for a custom kind,
/// and for what is no kind.
std::optional<std::string_view> words_of_kind(std::string_view kind) noexcept;

/// Whether others have named it: `custom.invoice_paid`.
bool is_custom_kind(std::string_view kind) noexcept;

/// Whether there can be an event of this kind.
bool is_audit_kind(std::string_view kind) noexcept;

}  // namespace troupe::oauth
