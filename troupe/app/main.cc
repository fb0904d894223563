// The program `troupe`: one executable, two services. Everything is behind its command line.
#include <fcntl.h>
#include <unistd.h>

#include "troupe/app/command/command_line.h"

namespace {

/// A stream that was closed would be the next file or socket that is opened, and what is written to it would go there.
void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) == -1)
      (void)::open("/dev/null", O_RDONLY);  // the lowest that is free; writing there fails
}

}  // namespace

int main(int count, char** arguments) {
  open_standard_streams();
  troupe::app::Terminal terminal;
  auto exit = troupe::app::run_command_line({arguments + 1, arguments + count}, terminal);
  if (exit == troupe::app::Exit::success && terminal.take_failure()) {
    terminal.err("troupe: standard output cannot be written\n");
    exit = troupe::app::Exit::failure;
  }
  return static_cast<int>(exit);
}
