// See simulated_disk.h.
#include "troupe/actor/persist/simulated_disk.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace troupe::actor {
namespace detail {

/// A change of a file that is not synced yet, with what takes it back.
struct DiskWrite {
  std::uint64_t offset = 0;
  std::string bytes;
  bool truncates = false;  // to `offset`; no bytes then
  std::uint64_t size_before = 0;
  std::string replaced;  // what stood at `offset`
};

struct DiskContent {
  std::string now;
  std::vector<DiskWrite> unsynced;  // in order
};

struct DiskState {
  base::SeededRandom random;
  std::shared_ptr<const DiskFaults> faults;
  std::uint64_t crashes = 0;
  std::map<std::string, std::shared_ptr<DiskContent>, std::less<>> files;
};

}  // namespace detail

namespace {

using detail::DiskContent;
using detail::DiskWrite;

void put_into(std::string& to, const DiskWrite& write) {
  if (write.truncates) {
    to.resize(write.offset);
    return;
  }
  if (to.size() < write.offset + write.bytes.size()) to.resize(write.offset + write.bytes.size());
  to.replace(write.offset, write.bytes.size(), write.bytes);
}

void take_from(std::string& from, const DiskWrite& write) {
  from.resize(write.size_before);
  if (!write.replaced.empty()) from.replace(write.offset, write.replaced.size(), write.replaced);
}

void do_unsynced(DiskContent& content, DiskWrite write) {
  write.size_before = content.now.size();
  const std::size_t count = write.truncates ? std::string::npos : write.bytes.size();
  if (write.offset < content.now.size()) write.replaced = content.now.substr(write.offset, count);
  put_into(content.now, write);
  content.unsynced.push_back(std::move(write));
}

/// The pieces of a write, cut at the borders of sectors.
std::vector<DiskWrite> sectors_of(const DiskWrite& write) {
  if (write.truncates) return {write};
  std::vector<DiskWrite> pieces;
  for (std::size_t at = 0; at < write.bytes.size();) {
    const std::uint64_t offset = write.offset + at;
    const auto count = static_cast<std::size_t>(SimulatedDisk::sector_bytes - offset % SimulatedDisk::sector_bytes);
    pieces.push_back({.offset = offset, .bytes = write.bytes.substr(at, count)});
    at += count;
  }
  return pieces;
}

/// From somewhere on in this piece the sector has what no one wrote.
void tear(DiskWrite& piece, base::Random& random) {
  for (std::size_t at = random.below(piece.bytes.size() + 1); at < piece.bytes.size(); ++at) {
    piece.bytes[at] = static_cast<char>(random.below(256));
  }
}

/// What a crash leaves of the file.
std::string left_of(const DiskContent& content, base::Random& random) {
  std::string left = content.now;
  for (auto write = content.unsynced.rbegin(); write != content.unsynced.rend(); ++write) take_from(left, *write);
  const std::uint64_t synced = left.size();
  for (const DiskWrite& write : content.unsynced) {
    for (DiskWrite& piece : sectors_of(write)) {
      switch (random.below(8)) {
        case 0:
          // A sector that holds something synced is written whole or not at all, as disks promise.
          if (piece.truncates || piece.offset - piece.offset % SimulatedDisk::sector_bytes < synced) break;
          tear(piece, random);
          [[fallthrough]];
        case 1:
        case 2:
        case 3:
          put_into(left, piece);
          break;
        default:
          break;
      }
    }
  }
  return left;
}

}  // namespace

SimulatedFile::SimulatedFile(std::shared_ptr<detail::DiskState> disk, std::shared_ptr<DiskContent> content)
    : disk_(std::move(disk)), content_(std::move(content)), opened_after_(disk_->crashes) {}

std::uint64_t SimulatedFile::size() const noexcept { return content_->now.size(); }

std::string SimulatedFile::read(std::uint64_t offset, std::size_t count) const {
  expect_open();
  return offset < size() ? content_->now.substr(offset, count) : std::string{};
}

void SimulatedFile::write(std::uint64_t offset, std::string_view bytes) {
  expect_open();
  DiskWrite write{.offset = offset, .bytes = std::string{bytes}};
  if (!disk_->faults->write_fails.hit(disk_->random)) return do_unsynced(*content_, std::move(write));
  for (DiskWrite& sector : sectors_of(write)) {
    if (disk_->random.below(2) == 0) break;
    do_unsynced(*content_, std::move(sector));
  }
  throw DiskError("the disk is full");
}

void SimulatedFile::truncate(std::uint64_t size) {
  expect_open();
  do_unsynced(*content_, {.offset = size, .truncates = true});
}

void SimulatedFile::sync() {
  expect_open();
  if (disk_->faults->sync_fails.hit(disk_->random)) throw DiskError("the disk cannot sync");
  content_->unsynced.clear();
}

void SimulatedFile::expect_open() const {
  if (opened_after_ != disk_->crashes) throw DiskError("the file was closed by a crash");
}

SimulatedDisk::SimulatedDisk(std::uint64_t seed, std::shared_ptr<const DiskFaults> faults)
    : state_(
          std::make_shared<detail::DiskState>(detail::DiskState{base::SeededRandom{seed}, std::move(faults), 0, {}})) {}

SimulatedFile SimulatedDisk::open(std::string_view name) {
  auto& content = state_->files[std::string{name}];
  if (content == nullptr) content = std::make_shared<DiskContent>();
  return {state_, content};
}

bool SimulatedDisk::exists(std::string_view name) const { return state_->files.contains(name); }

void SimulatedDisk::remove(std::string_view name) {
  const auto found = state_->files.find(name);
  if (found != state_->files.end()) state_->files.erase(found);
}

void SimulatedDisk::crash() {
  ++state_->crashes;
  for (auto& [name, content] : state_->files) {
    // A new content, so that a file that is still held by what the crash ends sees nothing of the new life.
    auto survivor = std::make_shared<DiskContent>();
    survivor->now = left_of(*content, state_->random);
    content = std::move(survivor);
  }
}

}  // namespace troupe::actor
