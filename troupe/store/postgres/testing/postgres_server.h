// PostgresServer: a PostgreSQL of the tests' own, in a temporary folder, reached by a unix socket alone.
//
// One for each test binary (`of_this_process`), with a database for whoever asks; it ends with the process, however
// that ends. The server refuses to be root's, so where the tests are root it runs as `postgres`. Where none can be
// started, std::runtime_error says so, which fails a test. It does not sync its files: what a power cut does to it is
// not tested here.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/store/postgres/postgres.h"

namespace troupe::store::test {

class PostgresServer {
 public:
  static PostgresServer& of_this_process() {
    static PostgresServer server;
    return server;
  }

  PostgresServer() {
    std::string made = std::filesystem::temp_directory_path() / "troupe-postgres-XXXXXX";
    require(mkdtemp(made.data()) != nullptr, "no folder can be made for PostgreSQL");
    folder_ = made;
    if (const passwd* user = user_of_server())
      require(::chown(made.c_str(), user->pw_uid, user->pw_gid) == 0, "PostgreSQL's folder cannot be its user's");
    const pid_t child = run("initdb", {"-D", data(), "-U", "troupe", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                                       "--no-sync", "--no-instructions"});
    require(ended_well(child), "initdb of PostgreSQL failed; the package `postgresql` brings it");
    start();
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() {
    if (server_ > 0) stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// Ends all connections and the server (its "fast" shutdown).
  void stop() {
    ::kill(server_, SIGINT);
    ::waitpid(std::exchange(server_, -1), nullptr, 0);
  }

  /// Ends it at once, as a crash does (its "immediate" shutdown): no statement is answered any more.
  void crash() {
    ::kill(server_, SIGQUIT);
    ::waitpid(std::exchange(server_, -1), nullptr, 0);
  }

  /// Comes back when it answers.
  void start() {
    server_ = run("postgres", {"-D", data(), "-k", folder_, "-h", "", "-F", "-c", "synchronous_commit=on", "-c",
                               "max_connections=60", "-c", "shared_buffers=16MB", "-c", "log_min_messages=panic"});
    for (int attempt = 0; attempt < 400; ++attempt) {
      try {
        (void)session("postgres");
        return;
      } catch (const Error&) {
        ::usleep(25'000);
      }
    }
    throw std::runtime_error{"PostgreSQL does not answer"};
  }

  void restart() {
    stop();
    start();
  }

  std::string url(const std::string& database) const {
    return fmt::format("postgresql:///{}?host={}&user=troupe", database, folder_);
  }

  /// Where its socket is.
  const std::string& folder() const { return folder_; }

  PostgresOptions options(const std::string& database, SessionHome home = SessionHome::core) const {
    return {.url = base::Secret{url(database)}, .home = home};
  }

  std::unique_ptr<Session> session(const std::string& database) const {
    return postgres_engine(options(database))->open();
  }

  /// The name of a new database, which is empty.
  std::string make_database() {
    const std::string name = fmt::format("test_{}", ++databases_);
    execute("postgres", {fmt::format("CREATE DATABASE {}", name)});
    return name;
  }

  /// Ends all other connections to the database, as an administrator would.
  void terminate_backends(const std::string& database) const {
    session("postgres")->transact([&](Transaction& t) {
      t.each("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?1", {database},
             [](const Row&) {});
    });
  }

  /// Runs what may not run in a transaction, or is PostgreSQL's own, by its own client.
  void execute(const std::string& database, const std::vector<std::string>& statements) const {
    std::vector<std::string> arguments{"-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", url(database)};
    for (const std::string& statement : statements) arguments.insert(arguments.end(), {"-c", statement});
    require(ended_well(run("psql", arguments)), "psql failed");
  }

 private:
  static void require(bool holds, const char* otherwise) {
    if (!holds) throw std::runtime_error{otherwise};
  }
  static bool ended_well(pid_t child) {
    int status = -1;
    return ::waitpid(child, &status, 0) == child && status == 0;
  }
  std::string data() const { return folder_ + "/data"; }

  /// Null: the tests' own user.
  static const passwd* user_of_server() {
    if (::geteuid() != 0) return nullptr;
    const passwd* user = ::getpwnam("postgres");
    require(user != nullptr, "there is no user `postgres`; the package `postgresql` makes it");
    return user;
  }

  static std::string program(const std::string& name) {
    for (int version = 20; version >= 13; --version) {
      std::string path = fmt::format("/usr/lib/postgresql/{}/bin/{}", version, name);
      if (std::filesystem::exists(path)) return path;
    }
    return name;
  }

  /// Starts a program of the server's, as the server's user; it ends when this process does.
  static pid_t run(const std::string& name, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program(name));
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const passwd* user = user_of_server();
    const pid_t child = ::fork();
    if (child != 0) return child;
    const bool is_ours = user == nullptr || (::setgid(user->pw_gid) == 0 && ::setuid(user->pw_uid) == 0);
    ::prctl(PR_SET_PDEATHSIG, SIGINT);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (is_ours && ::chdir("/") == 0 && ::dup2(nowhere, STDOUT_FILENO) >= 0)
      ::execvp(pointers.front(), pointers.data());
    ::_exit(127);
  }

  std::string folder_;
  pid_t server_ = -1;
  int databases_ = 0;
};

}  // namespace troupe::store::test
