// StreamCursor: a version, a position for the inbox, then each topic by its check with its place, and each shard with
// its own; as base64url.
#include "troupe/realtime/protocol/stream_cursor.h"

#include <algorithm>
#include <cstdint>

#include "troupe/base/check.h"
#include "troupe/wire/base64.h"

namespace troupe::realtime {

namespace {

constexpr char version = 2;

// What stands in place of the length of an epoch.
constexpr char no_position = '\0';
constexpr char by_shards = '\x80';

constexpr int check_bits = 32;

// FNV-1a.
std::uint32_t check_of(std::string_view topic) {
  std::uint32_t hash = 0x811c9dc5;
  for (char c : topic) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  return hash;
}

void append_check(std::string& out, std::uint32_t check) {
  for (int shift = check_bits - 8; shift >= 0; shift -= 8) out += static_cast<char>(check >> shift);
}

// Seven bits a byte, the lowest first; the highest bit says that more follow.
void append_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

void append(std::string& out, const std::optional<Position>& position) {
  if (!position) {
    out += no_position;
    return;
  }
  const auto& epoch = position->epoch.value();
  out += static_cast<char>(epoch.size());
  out += epoch;
  append_number(out, position->offset);
}

// Takes values off the front of bytes that may be anything.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::size_t count) {
    if (rest_.size() < count) return fail();
    auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint32_t check() {
    std::uint32_t check = 0;
    for (char c : take(check_bits / 8)) check = check << 8 | static_cast<unsigned char>(c);
    return check;
  }
  std::uint64_t number() {
    std::uint64_t number = 0;
    for (int shift = 0; shift < 56; shift += 7) {
      auto byte = take(1);
      if (byte.empty()) return 0;
      number |= std::uint64_t{static_cast<unsigned char>(byte[0]) & 0x7fU} << shift;
      if ((byte[0] & 0x80) == 0) return number;
    }
    fail();
    return 0;
  }
  std::optional<Position> position() { return position_behind(take(1)); }
  struct Place {
    std::optional<Position> position;
    bool by_shards = false;
  };
  Place place() {
    auto head = take(1);
    if (head.starts_with(by_shards)) return {{}, true};
    return {position_behind(head)};
  }
  bool failed() const noexcept { return failed_; }
  bool is_done() const noexcept { return !failed_ && rest_.empty(); }

 private:
  std::optional<Position> position_behind(std::string_view head) {
    if (head.empty() || head[0] == no_position) return std::nullopt;
    auto size = static_cast<unsigned char>(head[0]);
    if (size > epoch_bytes_max) fail();
    Epoch epoch{std::string{take(size)}};
    auto offset = number();
    if (offset > offset_max) fail();
    return Position{std::move(epoch), offset};
  }
  std::string_view fail() {
    failed_ = true;
    rest_ = {};
    return {};
  }
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

StreamCursor::StreamCursor(std::vector<TopicPattern> topics) : topics_(std::move(topics)) {
  INVARIANT(topics_.size() <= stream_topics_max, "a stream has few topics");
  std::ranges::sort(topics_);
  for (const auto& topic : topics_) places_.push_back({check_of(topic.text())});
}

bool StreamCursor::read(std::string_view id) {
  auto bytes = id.size() <= stream_id_bytes_max ? wire::from_base64url(id) : std::nullopt;
  if (!bytes || !bytes->starts_with(version)) return false;
  Reader reader{std::string_view{*bytes}.substr(1)};
  auto inbox = reader.position();
  auto places = places_;
  // No more is taken than id() ever says.
  auto count = reader.number();
  if (count > stream_topics_max) return false;
  for (; count > 0 && !reader.failed(); --count) {
    const auto check = reader.check();
    const auto told = reader.place();
    const auto place = std::ranges::find(places, check, &Place::check);
    if (place == places.end()) continue;
    const bool is_name = topics_[static_cast<std::size_t>(place - places.begin())].is_name();
    *place = {check, is_name ? told.position : std::nullopt, !is_name && told.by_shards, true};
  }
  ShardPositions shards;
  count = reader.number();
  if (count > stream_shards_max) return false;
  for (; count > 0 && !reader.failed(); --count) {
    std::string name{reader.take(std::min<std::uint64_t>(reader.number(), shard_bytes_max))};
    if (auto position = reader.position()) shards.emplace(std::move(name), *std::move(position));
  }
  if (!reader.is_done()) return false;
  inbox_ = std::move(inbox);
  places_ = std::move(places);
  shards_ = std::ranges::any_of(places_, &Place::follows) ? std::move(shards) : ShardPositions{};
  return true;
}

std::string StreamCursor::id() const {
  std::string bytes(1, version);
  append(bytes, inbox_);
  append_number(bytes, places_.size());
  for (const auto& place : places_) {
    append_check(bytes, place.check);
    place.follows ? bytes.push_back(by_shards) : append(bytes, place.position);
  }
  append_number(bytes, shards_.size());
  for (const auto& [name, position] : shards_) {
    append_number(bytes, name.size());
    bytes += name;
    append(bytes, position);
  }
  return wire::to_base64url(bytes);
}

const StreamCursor::Place* StreamCursor::find(std::string_view topic) const {
  auto found = std::ranges::lower_bound(topics_, topic, {},
                                        [](const TopicPattern& one) -> std::string_view { return one.text(); });
  if (found == topics_.end() || found->text() != topic) return nullptr;
  return &places_[static_cast<std::size_t>(found - topics_.begin())];
}

void StreamCursor::reach(std::string_view topic, const Position& position) {
  if (position.epoch.value().empty()) return;  // the server has no room to remember the topic
  if (topic.starts_with('$')) {
    inbox_ = position;
    return;
  }
  if (auto* place = find(topic)) place->position = position;
}

void StreamCursor::reach_shard(std::string_view shard, std::uint64_t seq) {
  auto found = shards_.find(shard);
  if (found != shards_.end()) found->second.offset = std::max(found->second.offset, seq);
}

void StreamCursor::follow(std::string_view pattern) {
  if (auto* place = find(pattern)) place->follows = true;
}

void StreamCursor::lose(std::string_view topic) {
  if (auto* place = find(topic)) place->follows = false;
}

bool StreamCursor::had(const TopicPattern& topic) const {
  const auto* place = find(topic.text());
  return place != nullptr && place->had;
}

std::vector<std::pair<TopicPattern, RecoverFrom>> StreamCursor::known() const {
  std::vector<std::pair<TopicPattern, RecoverFrom>> known;
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    if (places_[i].position) known.emplace_back(topics_[i], RecoverFrom{*places_[i].position, {}});
    if (places_[i].follows && !shards_.empty()) known.emplace_back(topics_[i], RecoverFrom{{}, shards_});
  }
  return known;
}

}  // namespace troupe::realtime
