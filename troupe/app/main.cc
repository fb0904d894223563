// The program `troupe`: one executable, two services. Everything is behind its command line.
#include "troupe/app/command/command_line.h"

int main(int count, char** arguments) {
  troupe::app::Terminal terminal;
  auto exit = troupe::app::run_command_line({arguments + 1, arguments + count}, terminal);
  if (exit == troupe::app::Exit::success && terminal.has_failed()) {
    terminal.err("troupe: standard output cannot be written\n");
    exit = troupe::app::Exit::failure;
  }
  return static_cast<int>(exit);
}
