// One server for one data folder.
#include "troupe/app/platform/data_lock.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>

#include "troupe/app/command/command.h"

using namespace troupe::app;

TEST_CASE("a data folder is locked once at a time, and free again when its server has ended") {
  std::string folder = std::filesystem::temp_directory_path() / "troupe-lock-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  std::optional<DataLock> first{folder};
  CHECK_THROWS_AS(DataLock{folder}, CommandFailed);
  first.reset();
  CHECK_NOTHROW(DataLock{folder});
  std::filesystem::remove_all(folder);
}

TEST_CASE("a folder that is not there cannot be locked") {
  CHECK_THROWS_AS(DataLock{"/nonexistent/folder"}, std::system_error);
}
