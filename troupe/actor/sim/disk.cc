// See disk.h.
#include "troupe/actor/sim/disk.h"

#include <algorithm>

namespace troupe::actor::test {
namespace {

void put_into(std::string& to, const detail::DiskWrite& write) {
  if (write.truncates) {
    to.resize(write.offset);
    return;
  }
  if (to.size() < write.offset + write.bytes.size()) to.resize(write.offset + write.bytes.size());
  to.replace(write.offset, write.bytes.size(), write.bytes);
}

/// The pieces of a write, cut at the borders of sectors: what a disk writes whole or not at all.
std::vector<detail::DiskWrite> sectors_of(const detail::DiskWrite& write) {
  if (write.truncates) return {write};
  std::vector<detail::DiskWrite> pieces;
  for (std::size_t at = 0; at < write.bytes.size();) {
    const std::uint64_t offset = write.offset + at;
    const auto count = static_cast<std::size_t>(Disk::sector_bytes - offset % Disk::sector_bytes);
    pieces.push_back({offset, write.bytes.substr(at, count)});
    at += count;
  }
  return pieces;
}

}  // namespace

std::string DiskFile::read(std::uint64_t offset, std::size_t count) const {
  expect_open();
  return offset < size() ? content_->now.substr(offset, count) : std::string{};
}

void DiskFile::write(std::uint64_t offset, std::string_view bytes) {
  expect_open();
  detail::DiskWrite write{offset, std::string{bytes}};
  if (!disk_->faults.write_fails.hit(disk_->random)) {
    put_into(content_->now, write);
    content_->unsynced.push_back(std::move(write));
    return;
  }
  for (auto& sector : sectors_of(write)) {
    if (disk_->random.below(2) == 0) break;
    put_into(content_->now, sector);
    content_->unsynced.push_back(std::move(sector));
  }
  throw DiskError("the disk is full");
}

void DiskFile::truncate(std::uint64_t size) {
  expect_open();
  content_->unsynced.push_back({size, {}, true});
  content_->now.resize(size);
}

void DiskFile::sync() {
  expect_open();
  if (disk_->faults.sync_fails.hit(disk_->random)) throw DiskError("the disk cannot sync");
  content_->synced = content_->now;
  content_->unsynced.clear();
}

void DiskFile::expect_open() const {
  if (opened_after_ != disk_->crashes) throw DiskError("the file was closed by a crash");
}

DiskFile Disk::open(std::string_view name) {
  auto& content = state_->files[std::string{name}];
  if (content == nullptr) content = std::make_shared<detail::DiskContent>();
  return {state_, content};
}

void Disk::remove(std::string_view name) {
  const auto found = state_->files.find(name);
  if (found != state_->files.end()) state_->files.erase(found);
}

void Disk::crash() {
  ++state_->crashes;
  for (auto& [name, content] : state_->files) {
    // A new content, so that a file that is still held by what the crash ends sees nothing of the new life.
    auto survivor = std::make_shared<detail::DiskContent>();
    survivor->now = content->synced;
    for (const auto& write : content->unsynced) {
      for (const auto& sector : sectors_of(write)) {
        if (state_->random.below(2) == 0) put_into(survivor->now, sector);
      }
    }
    survivor->synced = survivor->now;
    content = std::move(survivor);
  }
}

}  // namespace troupe::actor::test
