// One server for one data folder.
#include "troupe/app/platform/data_lock.h"

#include <doctest/doctest.h>

#include <optional>

#include "troupe/app/command/command.h"
#include "troupe/base/testing/temporary_folder.h"

using namespace troupe::app;

TEST_CASE("a data folder is locked once at a time, and free again when its server has ended") {
  const troupe::base::TemporaryFolder temporary;
  const std::string folder = temporary.path();
  std::optional<DataLock> first{folder};
  CHECK_THROWS_AS(DataLock{folder}, CommandFailed);
  first.reset();
  CHECK_NOTHROW(DataLock{folder});
}

TEST_CASE("a folder that is not there cannot be locked") {
  CHECK_THROWS_AS(DataLock{"/nonexistent/folder"}, std::system_error);
}
