// fork, exec and wait, and a log that is watched until it says that the server listens.
#include "tools/chaos/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace troupe::chaos {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Becomes the program; in the child, which must not ask for memory: a thread that is not there may hold its lock.
[[noreturn]] void become(std::vector<char*>& arguments, const char* log, int pipe, int input) {
  const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  if (input >= 0) ::dup2(input, STDIN_FILENO);
  if (pipe >= 0 && pipe != 3) ::dup2(pipe, 3);
  if (pipe == 3) ::fcntl(3, F_SETFD, 0);
  ::execv(arguments.front(), arguments.data());
  ::_exit(127);
}

}  // namespace

Folder::Folder() {
  char name[] = "/tmp/troupe_chaos_XXXXXX";
  if (::mkdtemp(name) == nullptr) throw Failed{"no folder can be made in /tmp"};
  path_ = name;
}
Folder::~Folder() { std::filesystem::remove_all(path_); }

Process::Process(const std::vector<std::string>& command, const std::string& log, int pipe, int input) {
  std::vector<char*> arguments;
  for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  id_ = ::fork();
  if (id_ < 0) throw Failed{"no process can be started"};
  if (id_ != 0) return;
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive us, however we end
  become(arguments, log.c_str(), pipe, input);
}

Process::~Process() {
  if (has_ended()) return;
  signal(SIGKILL);
  (void)wait();
}

void Process::signal(int number) const {
  if (!end_) ::kill(id_, number);
}

void Process::take_end(int status) { end_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

int Process::wait() {
  int status = 0;
  if (!end_ && ::waitpid(id_, &status, 0) == id_) take_end(status);
  return end_.value_or(-1);
}

bool Process::has_ended() {
  int status = 0;
  if (!end_ && ::waitpid(id_, &status, WNOHANG) == id_) take_end(status);
  return end_.has_value();
}

Server::Server(std::string program, std::string folder, const std::string& config)
    : program_(std::move(program)), folder_(std::move(folder)) {
  std::ofstream{folder_ + "/troupe.toml"} << config;
}

std::vector<std::string> Server::whole(const std::vector<std::string>& arguments) const {
  std::vector<std::string> all{program_};
  all.insert(all.end(), arguments.begin(), arguments.end());
  all.insert(all.end(), {"--config", folder_ + "/troupe.toml", "--data", folder_ + "/data"});
  return all;
}

std::string Server::command(const std::vector<std::string>& arguments, const std::string& input) const {
  const std::string said = folder_ + "/command.log";
  const std::string given = folder_ + "/command.input";
  std::ofstream{said}.close();
  std::ofstream{given} << input;
  const net::Descriptor in{::open(given.c_str(), O_RDONLY | O_CLOEXEC)};
  Process process{whole(arguments), said, -1, in.get()};
  if (process.wait() != 0) throw Failed{fmt::format("{} {} failed:\n{}", program_, arguments.front(), contents(said))};
  return contents(said);
}

void Server::start() {
  const auto seen = contents(log_path()).size();
  process_.emplace(whole({"serve", "--listen", fmt::format("127.0.0.1:{}", port_)}), log_path());
  constexpr std::string_view says = "listening on http://127.0.0.1:";
  for (int tries = 0; tries < 600; ++tries) {
    const auto log = contents(log_path());
    if (const auto at = log.find(says, seen); at != std::string::npos && log.find('\n', at) != std::string::npos) {
      port_ = static_cast<std::uint16_t>(std::strtoul(log.c_str() + at + says.size(), nullptr, 10));
      return;
    }
    if (process_->has_ended()) break;
    ::usleep(50'000);
  }
  throw Failed{"the server does not start:\n" + log_tail()};
}

void Server::kill() {
  process_->signal(SIGKILL);
  (void)process_->wait();
}

bool Server::end() {
  process_->signal(SIGCONT);
  process_->signal(SIGTERM);
  return process_->wait() == 0;
}

std::string Server::log_tail() const {
  const auto log = contents(log_path());
  return log.substr(log.size() - std::min<std::size_t>(log.size(), 4000));
}

std::uint64_t Server::resident_bytes() const {
  std::ifstream file{fmt::format("/proc/{}/statm", process_->id())};
  std::uint64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace troupe::chaos
