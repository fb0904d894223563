// Libraries that are opened late: what is there is found, and what is not is told with its remedy.
#include "troupe/late/library.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "troupe/late/curl.h"
#include "troupe/late/pq.h"

namespace troupe::late {
namespace {

std::string said_by(void (*act)()) {
  try {
    act();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("libpq and libcurl have all that we call") {
  pq().clear(nullptr);  // which it may be
  CHECK_EQ(pq().status(nullptr), CONNECTION_BAD);
  end_easy(curl().easy_init());
  CHECK_EQ(std::string{curl().easy_strerror(CURLE_OK)}, "No error");
}

TEST_CASE("a library that is not there is told with the package that brings it") {
  const std::string said = said_by([] { Library{"libnowhere.so.7", "libnowhere7"}; });
  CHECK(said.starts_with("libnowhere.so.7 cannot be opened: install the package libnowhere7 ("));
}

TEST_CASE("a function that a library does not have is told with both names") {
  const std::string said = said_by([] {
    int (*function)() = nullptr;
    Library{"libpq.so.5", "libpq5"}.find(function, "PQfromTomorrow");
  });
  CHECK_EQ(said, "libpq.so.5 has no function PQfromTomorrow: it is too old");
}

}  // namespace
}  // namespace troupe::late
