// StreamCursor: a version, a check of the topics, and a position for the inbox, for each topic and for each shard; as
// base64url.
#include "troupe/realtime/protocol/stream_cursor.h"

#include <algorithm>
#include <cstdint>

#include "troupe/base/check.h"
#include "troupe/wire/base64.h"

namespace troupe::realtime {

namespace {

constexpr char version = 1;
constexpr char no_position = '\0';

// FNV-1a over all names: it tells one list of topics from another, and keeps nobody out.
std::uint64_t check_of(const std::vector<TopicPattern>& topics) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const auto& topic : topics) {
    for (char c : topic.text()) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ 0x0a) * 0x100000001b3;
  }
  return hash;
}

void append_fixed(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
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
  std::uint64_t fixed() {
    std::uint64_t number = 0;
    for (char c : take(8)) number = number << 8 | static_cast<unsigned char>(c);
    return number;
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
  std::optional<Position> position() {
    auto head = take(1);
    if (head.empty() || head[0] == no_position) return std::nullopt;
    auto size = static_cast<unsigned char>(head[0]);
    if (size > epoch_bytes_max) fail();
    Epoch epoch{std::string{take(size)}};
    auto offset = number();
    if (offset > offset_max) fail();
    return Position{std::move(epoch), offset};
  }
  bool failed() const noexcept { return failed_; }
  bool is_done() const noexcept { return !failed_ && rest_.empty(); }

 private:
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
  positions_.resize(topics_.size());
}

bool StreamCursor::read(std::string_view id) {
  auto bytes = id.size() <= stream_id_bytes_max ? wire::from_base64url(id) : std::nullopt;
  if (!bytes || !bytes->starts_with(version)) return false;
  Reader reader{std::string_view{*bytes}.substr(1)};
  if (reader.fixed() != check_of(topics_)) return false;
  auto inbox = reader.position();
  ShardPositions shards;
  std::vector<std::optional<Position>> positions;
  for (const auto& topic : topics_) {
    auto position = reader.position();
    positions.push_back(topic.is_name() ? std::move(position) : std::nullopt);
  }
  auto count = reader.number();
  // Each pattern goes on with all shards, so only as many are taken as id() ever says.
  if (count > (is_names() ? 0 : stream_shards_max)) return false;
  for (; count > 0 && !reader.failed(); --count) {
    std::string name{reader.take(std::min<std::uint64_t>(reader.number(), shard_bytes_max))};
    if (auto position = reader.position()) shards.emplace(std::move(name), *std::move(position));
  }
  if (!reader.is_done()) return false;
  inbox_ = std::move(inbox);
  positions_ = std::move(positions);
  shards_ = std::move(shards);
  return true;
}

std::string StreamCursor::id() const {
  std::string bytes(1, version);
  append_fixed(bytes, check_of(topics_));
  append(bytes, inbox_);
  for (const auto& position : positions_) append(bytes, position);
  append_number(bytes, shards_.size());
  for (const auto& [name, position] : shards_) {
    append_number(bytes, name.size());
    bytes += name;
    append(bytes, position);
  }
  return wire::to_base64url(bytes);
}

void StreamCursor::reach(std::string_view topic, const Position& position) {
  if (position.epoch.value().empty()) return;  // the server has no room to remember the topic
  if (topic.starts_with('$')) {
    inbox_ = position;
    return;
  }
  auto found = std::ranges::lower_bound(topics_, topic, {},
                                        [](const TopicPattern& one) -> std::string_view { return one.text(); });
  if (found == topics_.end() || found->text() != topic) return;
  positions_[static_cast<std::size_t>(found - topics_.begin())] = position;
}

void StreamCursor::reach_shard(std::string_view shard, std::uint64_t seq) {
  auto found = shards_.find(shard);
  if (found != shards_.end()) found->second.offset = std::max(found->second.offset, seq);
}

std::vector<std::pair<TopicPattern, RecoverFrom>> StreamCursor::known() const {
  std::vector<std::pair<TopicPattern, RecoverFrom>> known;
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    if (positions_[i]) known.emplace_back(topics_[i], RecoverFrom{*positions_[i], {}});
    if (!topics_[i].is_name() && !shards_.empty()) known.emplace_back(topics_[i], RecoverFrom{{}, shards_});
  }
  return known;
}

}  // namespace troupe::realtime
