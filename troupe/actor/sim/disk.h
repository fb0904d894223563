// Disk: files in memory that survive a crash of their World, but for what was not synced.
//
// Owned by a World; used by its actors, directly or in blocking jobs. A read sees every write
// before it. A crash keeps what was synced; of each later write it keeps some sectors and
// loses others, as chance wills, so a record may be torn and a later one may survive an
// earlier one. Files opened before a crash are closed by it: what they write goes nowhere.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/actor/sim/faults.h"

namespace troupe::actor::test {

/// The disk refused: a fault that was asked for, or a file that a crash has closed.
class DiskError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

struct DiskWrite {
  std::uint64_t offset;
  std::string bytes;
  bool truncates = false;  // to `offset`; no bytes then
};

/// What the disk knows of a file.
struct DiskContent {
  std::string now;
  std::string synced;
  std::vector<DiskWrite> unsynced;  // since, in order
};

struct DiskState {
  base::Random& random;
  const DiskFaults faults;
  std::uint64_t crashes = 0;
  std::map<std::string, std::shared_ptr<DiskContent>, std::less<>> files;
};

}  // namespace detail

class DiskFile {
 public:
  DiskFile(std::shared_ptr<detail::DiskState> disk, std::shared_ptr<detail::DiskContent> content)
      : disk_(std::move(disk)), content_(std::move(content)), opened_after_(disk_->crashes) {}

  std::uint64_t size() const { return content_->now.size(); }
  /// At most `count` bytes from `offset`; fewer at the end of the file.
  std::string read(std::uint64_t offset, std::size_t count) const;
  std::string read_all() const { return content_->now; }
  /// These throw DiskError where the disk refuses; then some sectors of a write may have been written.
  void write(std::uint64_t offset, std::string_view bytes);
  void append(std::string_view bytes) { write(size(), bytes); }
  void truncate(std::uint64_t size);
  /// What was written before survives any crash after. Where it throws, some of it may.
  void sync();

 private:
  void expect_open() const;

  std::shared_ptr<detail::DiskState> disk_;
  std::shared_ptr<detail::DiskContent> content_;
  std::uint64_t opened_after_;
};

class Disk {
 public:
  static constexpr std::size_t sector_bytes = 512;

  Disk(base::Random& random, DiskFaults faults)
      : state_(std::make_shared<detail::DiskState>(detail::DiskState{random, faults, 0, {}})) {}

  /// Opens the file, which is made if there is none.
  DiskFile open(std::string_view name);
  bool exists(std::string_view name) const { return state_->files.contains(name); }
  /// At once and for good.
  void remove(std::string_view name);

  /// What the World's crash does to its disk.
  void crash();

 private:
  std::shared_ptr<detail::DiskState> state_;
};

}  // namespace troupe::actor::test
