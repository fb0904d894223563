// The program `troupe`: one executable, two services. Everything is behind its command line.
#include "troupe/app/command/command_line.h"

int main(int count, char** arguments) {
  troupe::app::Terminal terminal;
  const auto exit = troupe::app::run_command_line({arguments + 1, arguments + count}, terminal);
  return static_cast<int>(exit);
}
