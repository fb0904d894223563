// SimulatedDisk: files in memory that survive a crash, but for what was not synced.
//
// A value that stands for the disk: copies are the same disk. It outlives the system that writes
// to it, so that a test can start the next one on it; a test::World has one of its own. One
// thread. A read sees every write before it. A crash keeps what was synced; of each later write
// it keeps some sectors, loses others and leaves others torn, as the seed wills, so a later record
// may survive an earlier one. Files opened before a crash are closed by it.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "troupe/actor/persist/faults.h"

namespace troupe::actor {

/// The disk refused: a fault that was asked for, or a file that a crash has closed.
class DiskError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {
struct DiskContent;
struct DiskState;
}  // namespace detail

class SimulatedFile {
 public:
  std::uint64_t size() const noexcept;
  /// At most `count` bytes from `offset`; fewer at the end of the file.
  std::string read(std::uint64_t offset, std::size_t count) const;
  std::string read_all() const { return read(0, SIZE_MAX); }
  /// These throw DiskError where the disk refuses; then some sectors of a write may have been written.
  void write(std::uint64_t offset, std::string_view bytes);
  void append(std::string_view bytes) { write(size(), bytes); }
  void truncate(std::uint64_t size);
  /// What was written before survives any crash after. Where it throws, some of it may.
  void sync();

 private:
  friend class SimulatedDisk;
  SimulatedFile(std::shared_ptr<detail::DiskState> disk, std::shared_ptr<detail::DiskContent> content);
  void expect_open() const;

  std::shared_ptr<detail::DiskState> disk_;
  std::shared_ptr<detail::DiskContent> content_;
  std::uint64_t opened_after_;  // so many crashes
};

class SimulatedDisk {
 public:
  static constexpr std::size_t sector_bytes = 512;

  explicit SimulatedDisk(std::uint64_t seed = 0,
                         std::shared_ptr<const DiskFaults> faults = std::make_shared<DiskFaults>());

  /// Opens the file, which is made if there is none.
  SimulatedFile open(std::string_view name);
  bool exists(std::string_view name) const;
  /// At once and for good.
  void remove(std::string_view name);

  /// The power fails.
  void crash();

 private:
  std::shared_ptr<detail::DiskState> state_;
};

}  // namespace troupe::actor
