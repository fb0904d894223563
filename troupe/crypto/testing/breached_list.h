// A list of breached passwords in a file of a test's own, as BreachedPasswords reads them.
#pragma once

#include <algorithm>
#include <cctype>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/base/testing/temporary_folder.h"
#include "troupe/crypto/breached_passwords.h"
#include "troupe/crypto/digest.h"

namespace troupe::crypto::testing {

/// The sorted lines of these passwords, each with what `tail` says to its place among them.
template <class Tail>
std::string breached_lines(const std::vector<std::string>& passwords, Tail tail) {
  std::vector<std::string> lines;
  for (const std::string& password : passwords) {
    std::string line = hex(sha1(password));
    std::ranges::transform(line, line.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    lines.push_back(std::move(line));
  }
  std::ranges::sort(lines);
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) text += lines[i] + tail(i);
  return text;
}

class BreachedList {
 public:
  /// Of nobody's: its file is yet to be written.
  BreachedList() = default;
  explicit BreachedList(const std::vector<std::string>& passwords) {
    write(breached_lines(passwords, [](std::size_t) { return "\n"; }));
  }

  void write(std::string_view text) const { std::ofstream{path(), std::ios::binary} << text; }
  std::string path() const { return (folder_.path() / "breached.txt").string(); }
  std::shared_ptr<const BreachedPasswords> opened() const { return BreachedPasswords::open(path()).value(); }

 private:
  base::TemporaryFolder folder_;
};

}  // namespace troupe::crypto::testing
