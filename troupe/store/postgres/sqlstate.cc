// See sqlstate.h. The table is PostgreSQL's appendix A, by classes where they agree.
#include "troupe/store/postgres/sqlstate.h"

#include <algorithm>
#include <array>

namespace troupe::store {
namespace {

struct Meaning {
  std::string_view prefix;
  Failure failure;
};

// The first prefix that fits decides.
constexpr Meaning meanings[] = {
    {"23", Failure::conflict},        // a constraint
    {"40003", Failure::unknown},      // whether the statement completed
    {"40", Failure::busy},            // serialization, deadlock
    {"55P03", Failure::busy},         // the lock was not to be had in time
    {"57014", Failure::busy},         // statement_timeout
    {"53300", Failure::busy},         // too many connections
    {"08P01", Failure::wrong_use},    // among them a wrong number of values
    {"0A", Failure::wrong_use},       // what the server does not do
    {"22", Failure::wrong_use},       // a value that the column does not take
    {"25006", Failure::unavailable},  // the server became a standby, which only reads
    {"25", Failure::wrong_use},       // a state of the transaction
    {"26", Failure::wrong_use},       // a prepared statement that is not there
    {"34", Failure::wrong_use},       // a cursor
    {"3B", Failure::wrong_use},       // a savepoint
    {"42501", Failure::unavailable},  // a privilege is missing: for the operator
    {"42", Failure::wrong_use},       // the SQL itself
    {"54", Failure::wrong_use},       // too large or too complex
};

}  // namespace

Failure failure_of(std::string_view sqlstate) {
  const auto* found =
      std::ranges::find_if(meanings, [&](const Meaning& each) { return sqlstate.starts_with(each.prefix); });
  return found == std::end(meanings) ? Failure::unavailable : found->failure;
}

bool ends_connection(std::string_view sqlstate) {
  if (sqlstate == "08P01") return false;
  constexpr std::array<std::string_view, 6> ends{"08", "57P01", "57P02", "57P03", "57P05", "25P03"};
  return std::ranges::any_of(ends, [&](std::string_view prefix) { return sqlstate.starts_with(prefix); });
}

bool may_show_values(std::string_view sqlstate) { return sqlstate.starts_with("22"); }

int number_of(std::string_view sqlstate) {
  int number = 0;
  for (const char c : sqlstate) number = number * 36 + (c >= 'A' ? c - 'A' + 10 : c - '0');
  return number;
}

}  // namespace troupe::store
