// See database.h.
#include "troupe/store/database.h"

namespace troupe::store {

void Database::raise(const WorkDone& done) {
  if (done.failure) std::rethrow_exception(done.failure);
}

void Database::raise(actor::Outcome outcome, const std::string& what) {
  if (outcome == actor::Outcome::not_executed) throw Error{Failure::busy, 0, "the database was not asked: " + what};
  throw Error{Failure::unknown, 0, "the database has not answered: " + what};
}

}  // namespace troupe::store
