// FarewellProxy: stands between one connection and the server, and ends it at its first commit as an administrator's
// pg_terminate_backend would, at a moment of the test's choice.
//
// A process of its own, which ends with that connection or with the test. Of PostgreSQL's protocol it knows that each
// message of the server has a letter and a length (version 3.0, 55.7).
#pragma once

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "troupe/store/postgres/testing/postgres_server.h"

namespace troupe::store::test {

/// Where the farewell stands: in place of the answer to COMMIT, which was done all the same, or behind it.
enum class Farewell : std::uint8_t { in_place_of_commit, behind_commit };

class FarewellProxy {
 public:
  FarewellProxy(const PostgresServer& server, Farewell farewell) : farewell_(farewell) {
    std::string made = std::filesystem::temp_directory_path() / "troupe-farewell-XXXXXX";
    require(mkdtemp(made.data()) != nullptr);
    folder_ = made;
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const sockaddr_un here = address_in(folder_);
    require(::bind(listener, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 && ::listen(listener, 1) == 0);
    child_ = ::fork();
    if (child_ == 0) serve(listener, server.folder());
    ::close(listener);
  }
  FarewellProxy(const FarewellProxy&) = delete;
  FarewellProxy& operator=(const FarewellProxy&) = delete;
  ~FarewellProxy() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  PostgresOptions options(const std::string& database) const {
    return {.url = base::Secret{fmt::format("postgresql:///{}?host={}&user=troupe", database, folder_)}};
  }

 private:
  static void require(bool holds) {
    if (!holds) throw std::runtime_error{"a proxy for PostgreSQL cannot be started"};
  }
  static sockaddr_un address_in(const std::string& folder) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const std::string path = folder + "/.s.PGSQL.5432";
    require(path.size() < sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    return address;
  }

  [[noreturn]] void serve(int listener, const std::string& server_folder) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int client = ::accept(listener, nullptr, nullptr);
    const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const sockaddr_un there = address_in(server_folder);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) ::_exit(1);
    pollfd both[] = {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = server, .events = POLLIN, .revents = 0}};
    while (::poll(both, 2, -1) > 0) {
      if (both[0].revents != 0) put(server, take(client));
      if (both[1].revents != 0 && !pass_answers(server, client)) break;
    }
    ::_exit(0);
  }

  /// False: the farewell was said.
  bool pass_answers(int server, int client) {
    answers_ += take(server);
    while (answers_.size() >= 5 && answers_.size() >= size_of_first()) {
      const std::string message = answers_.substr(0, size_of_first());
      answers_.erase(0, message.size());
      const bool is_commit = message.front() == 'C' && message.substr(5, 6) == "COMMIT";
      if (!is_commit || farewell_ == Farewell::behind_commit) put(client, message);
      if (!is_commit) continue;
      using namespace std::string_view_literals;
      put(client, "E\0\0\0\x4fSFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"sv);
      return false;
    }
    return true;
  }

  /// With the letter, which the length does not count.
  std::size_t size_of_first() const {
    std::size_t size = 0;
    for (const char byte : answers_.substr(1, 4)) size = size * 256 + static_cast<unsigned char>(byte);
    return size + 1;
  }

  static std::string take(int socket) {
    std::string bytes(65536, '\0');
    const ssize_t size = ::read(socket, bytes.data(), bytes.size());
    if (size <= 0) ::_exit(0);
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }
  static void put(int socket, std::string_view bytes) {
    if (::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) ::_exit(1);
  }

  Farewell farewell_;
  std::string folder_;
  std::string answers_;
  pid_t child_ = -1;
};

}  // namespace troupe::store::test
