// Console: what a command reads and says. The terminal for the program, a memory twin for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::app {

class Console {
 public:
  virtual ~Console() = default;
  /// Results: what a script may read.
  virtual void out(std::string_view text) = 0;
  /// What a person should know: mistakes, progress.
  virtual void err(std::string_view text) = 0;
  /// The next line of input without its line break; nothing at the end, or past 64 KiB.
  virtual std::optional<std::string> read_line() = 0;
  /// Whether something that a script may read could not be written, as on a full disk, since this was last asked. Who
  /// asks deals with it; otherwise the command fails at its end.
  virtual bool take_failure() noexcept { return false; }
};

/// stdout, stderr and stdin of the process.
class Terminal final : public Console {
 public:
  void out(std::string_view text) override;
  void err(std::string_view text) override;
  std::optional<std::string> read_line() override;
  bool take_failure() noexcept override { return std::exchange(has_failed_, false); }

 private:
  bool has_failed_ = false;
};

/// Keeps what is said, and reads what it was given.
class MemoryConsole final : public Console {
 public:
  explicit MemoryConsole(std::string input = {}) : input_(std::move(input)) {}
  void out(std::string_view text) override { said_ += text; }
  void err(std::string_view text) override { complained_ += text; }
  std::optional<std::string> read_line() override {
    if (input_.empty()) return std::nullopt;
    const auto end = input_.find('\n');
    std::string line = input_.substr(0, end);
    input_.erase(0, end == std::string::npos ? end : end + 1);
    return line;
  }

  const std::string& said() const noexcept { return said_; }
  const std::string& complained() const noexcept { return complained_; }

 private:
  std::string input_, said_, complained_;
};

}  // namespace troupe::app
