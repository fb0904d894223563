// A backup: a copy of one moment while others write, that is whole or is not there.
#include "troupe/store/sqlite_backup.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "troupe/base/testing/temporary_folder.h"
#include "troupe/store/sqlite.h"

namespace troupe::store {
namespace {

/// How many rows each of the two tables has. It only reads, so no writer keeps it waiting.
std::pair<std::int64_t, std::int64_t> counts_in(const std::string& path) {
  SqliteConnection connection{{.path = path}};
  std::pair<std::int64_t, std::int64_t> both;
  const Work count = [&](Transaction& transaction) {
    transaction.each("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)", {},
                     [&](const Row& row) { both = {row.integer(0), row.integer(1)}; });
  };
  if (const auto failure = connection.read({&count, 1}).front()) std::rethrow_exception(failure);
  return both;
}

void insert(SqliteConnection& connection, std::int64_t x) {
  connection.transact([x](Transaction& transaction) {
    transaction.run("INSERT INTO a VALUES (?1, ?2)", {x, std::string(2000, 'a')});
    transaction.run("INSERT INTO b VALUES (?1)", {x});
  });
}

bool has_failed(const std::string& from, const std::string& to, std::string_view why) {
  try {
    back_up_sqlite(from, to);
    return false;
  } catch (const Error& error) {
    return std::string_view{error.what()}.contains(why);
  }
}

struct Desk {
  base::TemporaryFolder folder;
  std::string from = (folder.path() / "troupe.db").string();
  std::string to = (folder.path() / "copy.db").string();
  SqliteConnection connection{{.path = from}};

  Desk() { connection.script("CREATE TABLE a (x INTEGER, y TEXT); CREATE TABLE b (x INTEGER)"); }
};

TEST_CASE("a copy holds what was committed, in one file that only its owner reads") {
  Desk desk;
  for (int i = 0; i < 10; ++i) insert(desk.connection, i);
  const auto report = back_up_sqlite(desk.from, desk.to);
  CHECK_EQ(report.bytes, static_cast<std::int64_t>(std::filesystem::file_size(desk.to)));
  struct stat status{};
  REQUIRE_EQ(::stat(desk.to.c_str(), &status), 0);
  CHECK_EQ(status.st_mode & 0777, 0600);
  CHECK_FALSE(std::filesystem::exists(desk.to + "-wal"));
  CHECK_FALSE(std::filesystem::exists(desk.to + ".part"));
  insert(desk.connection, 10);
  CHECK_EQ(counts_in(desk.to).second, 10);
}

/// Another process that writes row upon row, until this goes away.
class Writer {
 public:
  Writer(const std::string& path, std::int64_t from) : process_(::fork()) {
    if (process_ == 0) write_for_ever(path, from);
    while (counts_in(path).second <= from) {
    }
  }
  ~Writer() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

 private:
  [[noreturn]] static void write_for_ever(const std::string& path, std::int64_t from) noexcept {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive a test that has failed
    SqliteConnection connection{{.path = path}};
    for (std::int64_t x = from;; ++x) insert(connection, x);
  }

  pid_t process_;
};

TEST_CASE("a copy that is made beside a writer is one moment: no transaction is in it by half") {
  Desk desk;
  for (int i = 0; i < 500; ++i) insert(desk.connection, i);
  const Writer writer{desk.from, 500};
  for (int round = 0; round < 5; ++round) {
    const std::string to = desk.to + std::to_string(round);
    const auto before = counts_in(desk.from).first;
    back_up_sqlite(desk.from, to);
    const auto [of_a, of_b] = counts_in(to);
    CHECK_EQ(of_a, of_b);
    CHECK_GE(of_a, before);
  }
}

TEST_CASE("what cannot be copied leaves nothing, and what is there is not written over") {
  Desk desk;
  insert(desk.connection, 1);
  CHECK(has_failed((desk.folder.path() / "none.db").string(), desk.to, "cannot be opened"));
  CHECK_FALSE(std::filesystem::exists(desk.to));
  CHECK(has_failed(desk.from, (desk.folder.path() / "no_folder" / "copy.db").string(), "cannot be made"));
  std::ofstream{desk.to} << "something of mine";
  CHECK(has_failed(desk.from, desk.to, "exists already"));
  CHECK_EQ(std::filesystem::file_size(desk.to), 17);
  const std::string text = (desk.folder.path() / "text").string();
  std::ofstream{text} << std::string(5000, 'x');
  CHECK(has_failed(text, desk.to + "2", "not a database"));
  CHECK_FALSE(std::filesystem::exists(desk.to + "2"));
  CHECK_FALSE(std::filesystem::exists(desk.to + "2.part"));
  std::ofstream{desk.to + "3.part"} << "half a copy";
  CHECK(has_failed(desk.from, desk.to + "3", "3.part is there already: of a backup that is under way, or"));
  CHECK_EQ(std::filesystem::file_size(desk.to + "3.part"), 11);
}

}  // namespace
}  // namespace troupe::store
