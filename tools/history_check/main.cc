// history_check: reads recorded traffic and says whether every subscriber saw each topic
// contiguous, in one order, without doubles, or was told what is missing.
//
//   history_check [--cut] FILE...    ('-': standard input); exit status 0, 1 (violated), 2 (no recording)
#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <iostream>
#include <span>
#include <string>

#include "troupe/realtime/protocol/history_checker.h"
#include "troupe/realtime/protocol/history_recording.h"

namespace {

constexpr std::string_view usage =
    "usage: history_check [--cut] FILE...\n"
    "Each line of a FILE ('-': standard input) is {\"observer\": NAME, \"sent\" or \"received\": FRAME} or\n"
    "{\"observer\": NAME, \"closed\": true}; several files are read one after the other as one recording.\n"
    "--cut: the recording ends while messages may be on their way, so nobody need have seen the newest.\n"
    "exit status: 0 all promises were kept, 1 one was not, 2 the recording cannot be read.\n";

bool read(std::istream& in, const std::string& name, troupe::realtime::HistoryRecording& recording) {
  std::uint64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty()) continue;
    if (auto taken = recording.line(line); !taken) {
      std::cerr << fmt::format("history_check: {}, line {}: {}\n", name, number, taken.error());
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int count, char** values) {
  std::span arguments{values + 1, static_cast<std::size_t>(count - 1)};
  bool quiet = true;
  troupe::realtime::HistoryChecker checker;
  troupe::realtime::HistoryRecording recording{checker};
  std::size_t files = 0;
  for (const char* argument : arguments) {
    std::string name{argument};
    if (name == "--cut") {
      quiet = false;
      continue;
    }
    if (name == "--help" || name == "-h") {
      std::cout << usage;
      return 0;
    }
    ++files;
    std::ifstream file;
    if (name != "-") file.open(name);
    if (name != "-" && !file) {
      std::cerr << fmt::format("history_check: {} cannot be read: {}\n", name, std::strerror(errno));
      return 2;
    }
    if (!read(name == "-" ? std::cin : file, name, recording)) return 2;
  }
  if (files == 0) {
    std::cerr << usage;
    return 2;
  }
  checker.finish(quiet);
  const auto& figures = checker.figures();
  for (const auto& violation : checker.violations()) {
    std::cout << fmt::format("event {}: {}\n", violation.at, violation.what);
  }
  std::cout << fmt::format(
      "{} deliveries, {} gaps that told of {} messages, {} recoveries, {} subscriptions from now on, {} publications "
      "acknowledged: {}\n",
      figures.deliveries, figures.gaps, figures.missed, figures.recoveries, figures.refusals, figures.acknowledged,
      figures.violations == 0 ? "all promises were kept" : fmt::format("{} violations", figures.violations));
  return figures.violations == 0 ? 0 : 1;
}
