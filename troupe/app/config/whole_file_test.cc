// Files that are read whole, and those that are not.
#include "troupe/app/config/whole_file.h"

#include <doctest/doctest.h>

#include <fstream>
#include <ostream>

#include "troupe/base/testing/temporary_folder.h"

using namespace troupe;
using namespace troupe::app;

TEST_CASE("a file is read whole, up to its bound, or it is said why not") {
  const base::TemporaryFolder folder;
  const std::string path = (folder.path() / "file").string();
  std::ofstream{path} << "12345";
  CHECK_EQ(read_whole_file(path, 5).value(), "12345");
  CHECK_EQ(read_whole_file(path, 4).error(), std::errc::file_too_large);
  std::ofstream{path, std::ios::trunc};
  CHECK_EQ(read_whole_file(path, 4).value(), "");
  CHECK_EQ(read_whole_file(folder.path().string(), 5).error(), std::errc::is_a_directory);
  CHECK_EQ(read_whole_file(path + "_not", 5).error(), std::errc::no_such_file_or_directory);
}
