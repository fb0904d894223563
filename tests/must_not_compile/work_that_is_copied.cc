// Work for the database is handed on several times, so what it captures must move: a constant that is captured by copy
// does not.
// expect: this work for the database is copied wherever it is moved
#include <string>

#include "troupe/store/database.h"

troupe::actor::Task<void> keep(troupe::store::Database database) {
  const std::string name = "a name that is long enough to stand on the heap";
  co_await database.write([name](troupe::store::Transaction& t) { t.run("INSERT INTO names VALUES (?1)", {name}); });
}
