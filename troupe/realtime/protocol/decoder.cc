// Decoder: from fields to commands; one function for each command says which fields it wants.
#include "troupe/realtime/protocol/decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "troupe/realtime/protocol/frame_reader.h"

namespace troupe::realtime {

namespace {

using Built = std::expected<Command, ClientError>;

// Takes fields one after the other and remembers what was wrong first, so that a command can be put together
// without a branch for each field.
class Taker {
 public:
  template <class T>
  std::optional<T> optional(std::string_view name, Field<T>& field) {
    if (!field.wrong.empty()) fail(name, field.wrong);
    return std::move(field.value);
  }
  template <class T>
  std::optional<T> required(std::string_view name, Field<T>& field) {
    if (!field.came()) fail(name, "is missing");
    return optional(name, field);
  }
  std::optional<TopicName> topic(Field<std::string_view>& field) {
    auto text = required("topic", field);
    if (!text) return std::nullopt;
    auto topic = TopicName::parse(*text);
    if (!topic) fail("topic", describe(topic.error()));
    return topic ? std::optional{*std::move(topic)} : std::nullopt;
  }
  void fail(std::string_view name, std::string_view what) {
    if (problem_.empty()) problem_ = fmt::format("`{}` {}", name, what);
  }
  bool failed() const noexcept { return !problem_.empty(); }
  std::unexpected<ClientError> error() { return std::unexpected(ClientError{ErrorCode::bad_request, problem_, {}}); }

 private:
  std::string problem_;
};

Payload json(std::string_view text) { return {PayloadKind::json, std::string{text}}; }

// In order, for a search for each of a thousand would be a million steps, which anybody may ask for.
bool have_all(const std::vector<TopicPattern>& topics,
              const std::vector<std::pair<TopicPattern, RecoverFrom>>& wanted) {
  std::vector<std::string_view> names;
  for (const auto& topic : topics) names.emplace_back(topic.text());
  std::ranges::sort(names);
  return std::ranges::all_of(
      wanted, [&](const auto& one) { return std::ranges::binary_search(names, std::string_view{one.first.text()}); });
}

Built subscribe(Fields& fields, const DecoderLimits&) {
  Taker take;
  auto topics = take.required("topics", fields.topics);
  auto recover = take.optional("recover", fields.recover);
  auto named = take.optional("overflow", fields.overflow);
  auto overflow = named ? overflow_of(*named) : std::nullopt;
  if (named && !overflow) take.fail("overflow", "must be drop_oldest, drop_newest, latest, spill or disconnect");
  if (overflow && reaches_publishers(*overflow)) {
    take.fail("overflow", "cannot be block or backpressure: only the configuration of a namespace says these");
  }
  auto presence = take.optional("presence", fields.presence);
  if (topics && topics->empty()) take.fail("topics", "is empty");
  if (topics && recover && !have_all(*topics, *recover)) take.fail("recover", "names a topic that `topics` does not");
  if (take.failed()) return take.error();
  return Subscribe{*std::move(topics), std::move(recover).value_or(std::vector<std::pair<TopicPattern, RecoverFrom>>{}),
                   overflow, presence.value_or(false)};
}

Built unsubscribe(Fields& fields, const DecoderLimits&) {
  Taker take;
  auto topics = take.required("topics", fields.topics);
  if (topics && topics->empty()) take.fail("topics", "is empty");
  if (take.failed()) return take.error();
  return Unsubscribe{*std::move(topics)};
}

Built resume(Fields& fields, const DecoderLimits&) {
  Taker take;
  auto positions = take.required("positions", fields.positions);
  if (take.failed()) return take.error();
  return Resume{*std::move(positions)};
}

Built publish(Fields& fields, const DecoderLimits&) {
  Taker take;
  auto topic = take.topic(fields.topic);
  auto payload = take.required("payload", fields.payload);
  auto exclude_self = take.optional("exclude_self", fields.exclude_self);
  auto key = take.optional("idempotency_key", fields.idempotency_key);
  if (key && key->empty()) take.fail("idempotency_key", "is empty");
  auto named = take.optional("priority", fields.priority);
  auto priority = named ? priority_of(*named) : Priority::normal;
  if (!priority) take.fail("priority", "must be low, normal or high");
  if (take.failed()) return take.error();
  return std::make_unique<Publish>(actor::CoreMemory{}, *std::move(topic), json(*payload), exclude_self.value_or(false),
                                   std::string{key.value_or("")}, *priority);
}

Built direct(Fields& fields, const DecoderLimits&) {
  Taker take;
  auto user = take.required("user", fields.user);
  auto payload = take.required("payload", fields.payload);
  if (user && user->empty()) take.fail("user", "is empty");
  if (take.failed()) return take.error();
  return Direct{UserId{*user}, json(*payload)};
}

std::expected<Broadcast, ClientError> broadcast(Fields& fields, const DecoderLimits& limits) {
  Taker take;
  auto topics = take.required("topics", fields.topics);
  auto payload = take.required("payload", fields.payload);
  if (topics && topics->empty()) take.fail("topics", "is empty");
  if (topics && topics->size() > limits.broadcast_topics_max) {
    take.fail("topics", fmt::format("has more than {} entries", limits.broadcast_topics_max));
  }
  Broadcast broadcast;
  for (const auto& topic : topics.value_or(std::vector<TopicPattern>{})) {
    auto name = TopicName::parse(topic.text());
    if (!name) take.fail("topics", fmt::format("has `{}`, which {}", topic.text(), describe(name.error())));
    if (name) broadcast.topics.push_back(*std::move(name));
  }
  if (take.failed()) return take.error();
  broadcast.payload = json(*payload);
  return broadcast;
}

Built received(Fields& fields, const DecoderLimits&) {
  Taker take;
  auto offset = take.required("offset", fields.offset);
  auto epoch = take.optional("epoch", fields.epoch);
  if (take.failed()) return take.error();
  return Received{*offset, epoch.transform([](std::string_view text) { return Epoch{text}; })};
}

Built history(Fields& fields, const DecoderLimits& limits) {
  Taker take;
  auto topic = take.topic(fields.topic);
  auto limit = take.required("limit", fields.limit);
  auto since = take.optional("since", fields.since);
  auto before = take.optional("before", fields.before);
  if (since && before) take.fail("before", "excludes `since`");
  if (limit && (*limit == 0 || *limit > limits.history_limit_max)) {
    take.fail("limit", fmt::format("must be from 1 to {}", limits.history_limit_max));
  }
  if (take.failed()) return take.error();
  auto direction = since ? Direction::since : before ? Direction::before : Direction::newest;
  auto position = since ? *std::move(since) : before ? *std::move(before) : Position{};
  return ReadHistory{*std::move(topic), static_cast<std::size_t>(*limit), direction, std::move(position)};
}

Built presence(Fields& fields, const DecoderLimits& limits) {
  Taker take;
  auto topic = take.topic(fields.topic);
  auto limit = take.optional("limit", fields.limit).value_or(limits.presence_limit);
  auto after = take.optional("after", fields.after);
  if (limit == 0 || limit > limits.presence_limit_max) {
    take.fail("limit", fmt::format("must be from 1 to {}", limits.presence_limit_max));
  }
  if (take.failed()) return take.error();
  return GetPresence{*std::move(topic), static_cast<std::size_t>(limit), UserId{after.value_or("")}};
}

Built cancel(Fields& fields, const DecoderLimits&) {
  Taker take;
  auto target = take.required("target", fields.target);
  if (take.failed()) return take.error();
  return Cancel{RequestId{std::string{*target}}};
}

Built authenticate(Fields& fields, const DecoderLimits&) {
  Taker take;
  auto token = take.required("token", fields.token);
  if (token && token->empty()) take.fail("token", "is empty");
  if (take.failed()) return take.error();
  return Authenticate{base::Secret<std::string>{std::string{*token}}};
}

Built info(Fields&, const DecoderLimits&) { return GetInfo{}; }

Built ping(Fields& fields, const DecoderLimits&) {
  Taker take;
  auto timestamp = take.optional("timestamp", fields.timestamp);
  if (take.failed()) return take.error();
  return Ping{std::string{timestamp.value_or("")}};
}

struct CommandType {
  std::string_view name;
  Built (*build)(Fields&, const DecoderLimits&);
};

constexpr CommandType command_types[] = {
    {"publish", publish},   {"subscribe", subscribe}, {"unsubscribe", unsubscribe}, {"direct", direct},
    {"received", received}, {"history", history},     {"cancel", cancel},           {"authenticate", authenticate},
    {"info", info},         {"ping", ping},           {"resume", resume},           {"presence", presence},
};

Built build(Fields& fields, const DecoderLimits& limits) {
  Taker take;
  auto type = take.required("type", fields.type);
  if (take.failed()) return take.error();
  auto found = std::ranges::find(command_types, *type, &CommandType::name);
  if (found == std::end(command_types)) {
    take.fail("type", fmt::format("is `{}`, which is no command", *type));
    return take.error();
  }
  return found->build(fields, limits);
}

RefusedFrame refused(std::optional<RequestId> id, std::string message) {
  return {std::move(id), {ErrorCode::bad_request, std::move(message), {}}};
}

// The id that an answer may bear: one that was read and is right.
std::optional<RequestId> id_of(const Fields& fields) {
  if (!fields.id.value || fields.id.value->empty()) return std::nullopt;
  return RequestId{std::string{*fields.id.value}};
}

std::expected<ClientFrame, RefusedFrame> frame_of(Fields& fields, const DecoderLimits& limits) {
  auto id = id_of(fields);
  if (fields.id.came() && !id) {
    return std::unexpected(refused({}, fmt::format("`id` {}", fields.id.value ? "is empty" : fields.id.wrong)));
  }
  auto command = build(fields, limits);
  if (!command) return std::unexpected(RefusedFrame{std::move(id), std::move(command.error())});
  return std::expected<ClientFrame, RefusedFrame>{std::in_place, std::move(id), *std::move(command)};
}

}  // namespace

Decoder::Decoder(DecoderLimits limits) : limits_(limits), reader_(std::make_unique<FrameReader>(limits)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

std::expected<ClientFrame, RefusedFrame> Decoder::decode_text(std::string_view text) {
  Fields fields;
  auto broken = reader_->read(text, fields);
  if (broken) return std::unexpected(refused(id_of(fields), *std::move(broken)));
  return frame_of(fields, limits_);
}

std::optional<ClientError> Decoder::read_body(std::string_view text, Fields& fields) {
  constexpr std::string_view frame = "the frame";
  auto broken = reader_->read(text, fields);
  if (!broken) return std::nullopt;
  if (broken->starts_with(frame)) broken->replace(0, frame.size(), "the body");
  return ClientError{ErrorCode::bad_request, *std::move(broken), {}};
}

std::expected<PublishPtr, ClientError> Decoder::decode_publish(std::string_view text) {
  Fields fields;
  if (auto broken = read_body(text, fields)) return std::unexpected(*std::move(broken));
  auto command = publish(fields, limits_);
  if (!command) return std::unexpected(std::move(command.error()));
  return std::get<PublishPtr>(*std::move(command));
}

std::expected<Broadcast, ClientError> Decoder::decode_broadcast(std::string_view text) {
  Fields fields;
  if (auto broken = read_body(text, fields)) return std::unexpected(*std::move(broken));
  return broadcast(fields, limits_);
}

std::expected<Direct, ClientError> Decoder::decode_direct(std::string_view text) {
  Fields fields;
  if (auto broken = read_body(text, fields)) return std::unexpected(*std::move(broken));
  auto command = direct(fields, limits_);
  if (!command) return std::unexpected(std::move(command.error()));
  return std::get<Direct>(*std::move(command));
}

std::expected<ClientFrame, RefusedFrame> Decoder::decode_binary(std::string_view bytes) {
  auto end = bytes.substr(0, limits_.binary_header_bytes_max + 1).find('\n');
  if (end == std::string_view::npos) {
    return std::unexpected(
        refused({}, fmt::format("a binary frame begins with a JSON object of at most {} bytes and a line feed",
                                limits_.binary_header_bytes_max)));
  }
  Fields fields;
  auto broken = reader_->read(bytes.substr(0, end), fields);
  if (broken) return std::unexpected(refused(id_of(fields), *std::move(broken)));
  if (fields.payload.came()) {
    return std::unexpected(refused(id_of(fields), "`payload` of a binary frame is what follows the line feed"));
  }
  fields.payload.value.emplace();
  auto frame = frame_of(fields, limits_);
  if (!frame) return frame;
  Payload payload{PayloadKind::binary, std::string{bytes.substr(end + 1)}};
  if (auto* publish = std::get_if<PublishPtr>(&frame->command)) {
    (*publish)->payload = std::move(payload);
  } else if (auto* direct = std::get_if<Direct>(&frame->command)) {
    direct->payload = std::move(payload);
  } else {
    return std::unexpected(refused(frame->id, "only `publish` and `direct` may come in a binary frame"));
  }
  return frame;
}

}  // namespace troupe::realtime
