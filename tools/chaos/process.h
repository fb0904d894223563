// Process: a program that was started and is stopped, killed and started anew; its output in a file or a pipe.
// Server: `troupe serve` as such a process, on a port that it keeps.
//
// One owner, on the main thread. What still runs when its owner ends is killed.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "troupe/net/descriptor.h"

namespace troupe::chaos {

/// Something that this program cannot go on without.
struct Failed {
  std::string why;
};

/// The beginning of a configuration whose server says little and slows nobody down for asking often.
inline constexpr const char* quiet_and_unlimited = R"([log]
level = "error"

[http]
requests_per_second = 1000000000
requests_burst = 1000000000
connections_by_address_max = 1000000

)";

/// A folder that lives as long as the value.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

class Process {
 public:
  /// Starts it with its output in the file `log`; `pipe`: a descriptor that becomes its number 3, or -1; `input`: one
  /// that becomes its standard input, or -1.
  Process(const std::vector<std::string>& command, const std::string& log, int pipe = -1, int input = -1);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  void signal(int number) const;
  /// Waits for its end; its exit status, or 128 and the signal.
  int wait();
  bool has_ended();
  pid_t id() const noexcept { return id_; }

 private:
  void take_end(int status);

  pid_t id_ = -1;
  std::optional<int> end_;
};

class Server {
 public:
  /// `program`: the executable troupe. Nothing is started yet.
  Server(std::string program, std::string folder, const std::string& config);

  /// Runs another command of the executable on the same configuration and data, `input` as its standard input; gives
  /// what it said. Throws Failed where it did not end well.
  std::string command(const std::vector<std::string>& arguments, const std::string& input = "") const;

  /// Starts it and waits until it listens, at the port of the last time.
  void start();
  /// As a power cut does.
  void kill();
  /// As an operator does; false: it did not end well.
  bool end();
  void stand_still() const { process_->signal(SIGSTOP); }
  void go_on() const { process_->signal(SIGCONT); }
  /// Whether it has ended though nobody ended it.
  bool is_lost() { return process_ && process_->has_ended(); }

  std::uint16_t port() const noexcept { return port_; }
  pid_t id() const noexcept { return process_->id(); }
  /// The end of its log.
  std::string log_tail() const;
  /// What it keeps in memory, in bytes.
  std::uint64_t resident_bytes() const;

 private:
  std::string log_path() const { return folder_ + "/server.log"; }
  /// The command with where its configuration and data are.
  std::vector<std::string> whole(const std::vector<std::string>& arguments) const;

  std::string program_, folder_;
  std::optional<Process> process_;
  std::uint16_t port_ = 0;
};

}  // namespace troupe::chaos
