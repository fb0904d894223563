// BreachedPasswords: a list of passwords that have become known, in a sorted file that stays on the disk.
//
// Each line is the SHA-1 of a password in 40 upper-case hexadecimal digits, perhaps with `:` and how often it was seen;
// lines rise. A password is found by halving: a few dozen short reads into one small buffer, however large the file is.
//
// The file is opened once. Who wants another list puts it in its place under the same name, and opens it anew.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "troupe/base/handle.h"
#include "troupe/crypto/password.h"

namespace troupe::crypto {

class BreachedPasswords {
  using File = base::Handle<std::FILE, std::fclose>;
  struct Opened {
    File file;
    std::uint64_t size = 0;
  };

 public:
  /// For `open` alone.
  explicit BreachedPasswords(Opened opened) : file_(std::move(opened.file)), size_(opened.size) {}

  /// The list in the file at `path`. Errors: why it cannot be used, and where, as the end of a sentence that begins
  /// with the file: "cannot be read: ...". Looked at in some places only, for it may have gigabytes.
  static std::expected<std::shared_ptr<const BreachedPasswords>, std::string> open(const std::string& path);

  /// Whether the list has it. Waits for the disk, so never on a core's thread; any other may call it, and several at
  /// once. Throws std::runtime_error where the file cannot be read, or is not as it must be.
  bool has(const Password& password) const;

 private:
  using Hash = std::array<char, 40>;
  struct Line {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // behind its line break
    Hash hash{};
  };
  template <class T>
  using Found = std::expected<T, std::string>;

  Found<Line> line_at(std::uint64_t offset) const;
  Found<bool> find(const Hash& wanted) const;
  Found<void> probe() const;

  File file_;
  std::uint64_t size_;
};

}  // namespace troupe::crypto
