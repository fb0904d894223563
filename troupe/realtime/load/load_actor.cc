// Two open loops on one core. A delivery is read by hand where it looks as our server writes it, for a load must cost
// less than what it measures; everything else goes through the reader of frames.
#include "troupe/realtime/load/load_actor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "troupe/wire/json.h"

namespace troupe::realtime {
namespace {

constexpr int batch_max = 512;  // done in one go, before sockets are looked at again
constexpr base::Duration answer_late = std::chrono::seconds{10};
constexpr std::string_view payload_begin = R"({"due":)";
constexpr std::string_view payload_in_frame = R"("payload":{"due":)";

std::optional<std::int64_t> number_at(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

}  // namespace

LoadActor::LoadActor(LoadActorOptions options) : options_(std::move(options)) {
  static_assert(payload_begin.size() + 20 + std::string_view{R"(,"pad":""})"}.size() == load_payload_bytes_min);
  if (options_.load.payload_bytes > load_payload_bytes_min)
    padding_.assign(options_.load.payload_bytes - load_payload_bytes_min, 'x');
}

void LoadActor::started(actor::Context& ctx) {
  core_ = &ctx.core();
  entry_ = ctx.entry();
  connect_alarm_.emplace(*core_, options_.alarm, [this] { entry_([&] { connect_due(); }); });
  publish_alarm_.emplace(*core_, options_.alarm, [this] { entry_([&] { publish_due(); }); });
  connections_.reserve(own_connections());
  connecting_.emplace(core_->now(), options_.load.connections_per_second / static_cast<double>(options_.cores));
  connect_alarm_->arm(core_->now());
}

std::uint64_t LoadActor::own_connections() const noexcept {
  const auto all = options_.load.connections, index = options_.index, cores = options_.cores;
  return all > index ? (all - index - 1) / cores + 1 : 0;
}

std::string LoadActor::topic_name(std::uint64_t topic) const {
  return fmt::format("{}.{}", options_.load.topic_prefix, topic);
}

/// Topic t has the connections t * s .. t * s + s - 1, counted around.
std::vector<std::uint64_t> LoadActor::topics_of(std::uint64_t connection) const {
  const auto& load = options_.load;
  std::vector<std::uint64_t> topics;
  const auto places = load.topics * load.subscribers_per_topic;
  for (auto place = connection; place < places; place += load.connections)
    topics.push_back(place / load.subscribers_per_topic);
  return topics;
}

std::vector<std::uint32_t> LoadActor::handle(const CountSubscribers&) const {
  std::vector<std::uint32_t> counts(options_.load.topics);
  for (const auto& connection : connections_) {
    if (!connection->live) continue;
    for (const auto topic : topics_of(connection->number)) ++counts[topic];
  }
  return counts;
}

// ---- connecting ----

void LoadActor::connect_due() {
  base::Instant due;
  const auto now = core_->read_clock();
  for (int i = 0; i < batch_max && connections_.size() < own_connections(); ++i) {
    if (!connecting_->take(now, due)) break;
    connect_one();
  }
  if (connections_.size() < own_connections()) connect_alarm_->arm(std::max(connecting_->next(), now));
}

void LoadActor::connect_one() {
  const auto number = connections_.size() * options_.cores + options_.index;
  auto& connection = *connections_.emplace_back(std::make_unique<Connection>(*this, number));
  ++figures_.connections_begun;
  auto socket = options_.socket;
  if (!options_.tokens.empty()) socket.token = options_.tokens[number % options_.tokens.size()];
  ClientSocketEvents& events = connection;
  try {
    connection.socket = std::make_unique<ClientSocket>(*core_, options_.dial(*core_), std::move(socket), events);
  } catch (const std::system_error& error) {
    ++figures_.connections_failed;
    figures_.fault(error.what());
  }
}

void LoadActor::subscribe(Connection& connection) {
  const auto topics = topics_of(connection.number);
  if (topics.empty()) return live(connection);
  std::string text;
  wire::JsonWriter writer{text};
  writer.begin_object().member("type", "subscribe").member("id", "s").key("topics").begin_array();
  for (const auto topic : topics) writer.value(topic_name(topic));
  writer.end_array().end_object();
  connection.socket->send(wire::Opcode::text, text);
}

void LoadActor::live(Connection& connection) {
  connection.live = true;
  ++figures_.connections_live;
}

void LoadActor::ended(Connection& connection, const SocketEnd& end) {
  if (connection.live) {
    --figures_.connections_live;
    ++figures_.connections_lost;
  } else {
    ++figures_.connections_failed;
  }
  connection.live = false;
  connection.socket.reset();
  figures_.fault(in_words(end));
}

// ---- publishing ----

void LoadActor::handle(const BeginPublishing& message) {
  subscribers_ = message.subscribers;
  publishing_until_ = message.end;
  const auto cores = static_cast<double>(options_.cores);
  const auto rate = options_.load.publications_per_second / cores;
  // Cores take turns, so that their publications do not come all at once.
  const base::Duration apart{static_cast<std::int64_t>(1e9 / rate * static_cast<double>(options_.index) / cores)};
  publishing_.emplace(message.start + apart, rate);
  publish_alarm_->arm(publishing_->next());
}

void LoadActor::handle(EndPublishing) {
  publishing_.reset();
  publish_alarm_->disarm();
}

void LoadActor::handle(CloseSockets) {
  handle(EndPublishing{});
  connect_alarm_->disarm();
  for (auto& connection : connections_) {
    if (connection->socket) connection->socket->close(wire::close_code::normal);
  }
}

std::uint64_t LoadActor::handle(const CountSockets&) const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(connections_, [](const auto& each) { return each->socket != nullptr; }));
}

void LoadActor::publish_due() {
  if (!publishing_ || connections_.empty()) return;
  base::Instant due;
  const auto now = core_->read_clock();
  for (int i = 0; i < batch_max && publishing_->next() < publishing_until_ && publishing_->take(now, due); ++i) {
    publish_one(due);
  }
  if (publishing_->next() >= publishing_until_) return;
  publish_alarm_->arm(std::max(publishing_->next(), now));
}

void LoadActor::publish_one(base::Instant due) {
  auto tries = connections_.size();
  auto* connection = connections_[next_publisher_++ % connections_.size()].get();
  while (!connection->live && --tries > 0) connection = connections_[next_publisher_++ % connections_.size()].get();
  if (!connection->live) {
    ++figures_.errors;
    return figures_.fault("no connection is left to publish on");
  }
  const auto topic = ((publishing_->taken() - 1) * options_.cores + options_.index) % options_.load.topics;
  connection->socket->send(wire::Opcode::text,
                           fmt::format(R"({{"type":"publish","topic":"{}.{}","payload":{}{:>20},"pad":"{}"}}}})",
                                       options_.load.topic_prefix, topic, payload_begin, due.nanoseconds, padding_));
  ++figures_.published;
  figures_.expected += (*subscribers_)[topic];
  figures_.lateness.record(core_->read_clock() - due);
}

// ---- receiving ----

void LoadActor::Connection::on_frame(wire::Opcode opcode, std::string_view message) {
  actor.entry_([&] { actor.received(*this, opcode, message); });
}

void LoadActor::Connection::on_end(const SocketEnd& end) {
  actor.entry_([&] { actor.ended(*this, end); });
}

void LoadActor::received(Connection& connection, wire::Opcode opcode, std::string_view message) {
  if (message.starts_with(R"({"type":"message")")) {
    const auto at = message.find(payload_in_frame);
    return delivered(at == std::string_view::npos ? std::string_view{} : message.substr(at + payload_in_frame.size()),
                     message.size());
  }
  const auto frame = reader_.read(opcode, message);
  if (!frame) {
    ++figures_.errors;
    return figures_.fault(frame.error());
  }
  switch (frame->type) {
    case ServerFrameType::message: {
      const auto& payload = frame->payload;
      return delivered(payload.starts_with(payload_begin) ? payload.substr(payload_begin.size()) : std::string_view{},
                       message.size());
    }
    case ServerFrameType::welcome:
      if (frame->heartbeat_interval_ms > 0)
        connection.socket->expect_words_within(
            std::chrono::milliseconds{std::min<std::uint64_t>(frame->heartbeat_interval_ms, 3'600'000)} + answer_late);
      return subscribe(connection);
    case ServerFrameType::subscription_confirmed:
      return live(connection);
    case ServerFrameType::gap:
      ++figures_.gaps;
      figures_.told += frame->to - frame->from + 1;
      return;
    case ServerFrameType::error:
      ++figures_.errors;
      figures_.fault(fmt::format("{} ({})", frame->words, frame->code));
      if (!connection.live) connection.socket->close(wire::close_code::normal);
      return;
    default:
      return;
  }
}

void LoadActor::delivered(std::string_view payload, std::size_t bytes) {
  figures_.bytes += bytes;
  const auto due = number_at(payload.substr(std::min(payload.find_first_not_of(' '), payload.size())));
  if (!due) {
    ++figures_.errors;
    return figures_.fault("a message that this load did not publish");
  }
  ++figures_.delivered;
  figures_.latency.record(core_->read_clock() - base::Instant{*due});
}

}  // namespace troupe::realtime
