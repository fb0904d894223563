// The rows by group: each function is the table of the file of its name, in this folder.
#pragma once

#include <span>

#include "troupe/attack/row.h"

namespace troupe::attack {

std::span<const Row> redirect_rows();
std::span<const Row> request_rows();
std::span<const Row> code_rows();
std::span<const Row> pkce_rows();
std::span<const Row> client_rows();
std::span<const Row> refresh_rows();
std::span<const Row> token_rows();
std::span<const Row> jwt_rows();
std::span<const Row> page_rows();
std::span<const Row> logout_rows();
std::span<const Row> registration_rows();
std::span<const Row> limit_rows();
std::span<const Row> transport_rows();
std::span<const Row> elsewhere_rows();
/// Those that guess passwords; the last ones, since they may leave sign-in slow.
std::span<const Row> sign_in_rows();

}  // namespace troupe::attack
