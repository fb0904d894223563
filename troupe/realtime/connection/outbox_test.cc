// Outbox: what is dropped and what is told, in which order, under every policy; each offset is delivered or told.
#include "troupe/realtime/connection/outbox.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <simdjson.h>

#include <map>
#include <vector>

#include "troupe/realtime/connection/connection_figures.h"
#include "troupe/realtime/protocol/message.h"

namespace troupe::realtime {
namespace {

using Pushed = Outbox::Pushed;

FrameRef message(std::string topic, Offset offset, std::size_t bytes = 1, Priority priority = Priority::normal) {
  Position position{Epoch{"e"}, offset};
  Payload payload{PayloadKind::json, '"' + std::string(bytes, 'x') + '"'};
  auto encoded = encode_message({topic, position, UserId{"u"}, {}, payload});
  return FrameRef::message(encoded.frame, topic, position, priority);
}

// Writes what the socket takes, at most `bytes`; gives what was written.
std::string write(Outbox& outbox, std::size_t bytes = std::string::npos, std::size_t parts_max = 4) {
  std::string written;
  std::vector<iovec> parts(parts_max);
  while (bytes > 0) {
    auto used = outbox.gather(parts);
    if (used == 0) break;
    std::size_t taken = 0;
    for (std::size_t i = 0; i < used && bytes > 0; ++i) {
      auto part = std::min(bytes, parts[i].iov_len);
      written.append(static_cast<const char*>(parts[i].iov_base), part);
      taken += part;
      bytes -= part;
    }
    outbox.written(taken);
  }
  return written;
}

// What a client reads, in short: "a1", "a gap 2-3 overflow", or the type of another frame.
std::vector<std::string> read(std::string_view stream) {
  std::vector<std::string> events;
  simdjson::dom::parser parser;
  while (!stream.empty()) {
    auto size = static_cast<unsigned char>(stream[1]);
    std::size_t head = size == 126 ? 4 : size == 127 ? 10 : 2;
    std::size_t length = size;
    if (size >= 126) {
      length = 0;
      for (std::size_t i = 2; i < head; ++i) length = length << 8 | static_cast<unsigned char>(stream[i]);
    }
    auto frame = parser.parse(std::string{stream.substr(head, length)});
    stream.remove_prefix(head + length);
    auto text = [&](const char* name) { return std::string{frame[name].get_string().value()}; };
    auto number = [&](const char* name) { return std::to_string(frame[name].get_uint64().value()); };
    if (text("type") == "message") {
      events.push_back(text("topic") + number("offset"));
    } else if (text("type") == "gap") {
      events.push_back(text("topic") + " gap " + number("from") + "-" + number("to") + " " + text("reason"));
    } else {
      events.push_back(text("type"));
    }
  }
  return events;
}

using Events = std::vector<std::string>;

base::Bytes pong() { return finished(Pong{}, std::optional<RequestId>{}); }

TEST_CASE("frames leave in the order in which they came") {
  OutboxLimits limits;
  Outbox outbox{limits};
  CHECK(outbox.empty());
  outbox.push(message("a", 1), Overflow::drop_oldest);
  outbox.push_control(pong());
  outbox.push_recovered(message("b", 1));
  outbox.push(message("a", 2), Overflow::drop_newest);
  CHECK_EQ(outbox.messages(), 2);
  CHECK_EQ(read(write(outbox)), Events{"a1", "pong", "b1", "a2"});
  CHECK(outbox.empty());
  CHECK_EQ(outbox.messages(), 0);
  CHECK_EQ(outbox.bytes(), 0);
  CHECK_EQ(outbox.control_bytes(), 0);
}

TEST_CASE("drop_oldest tells the gap before the next message of the topic") {
  OutboxLimits limits{.messages_max = 2};
  Outbox outbox{limits};
  for (Offset offset = 1; offset <= 5; ++offset)
    CHECK_EQ(outbox.push(message("a", offset), Overflow::drop_oldest), Pushed::accepted);
  CHECK_EQ(outbox.dropped(), 3);
  CHECK_EQ(read(write(outbox)), Events{"a gap 1-3 overflow", "a4", "a5"});
}

TEST_CASE("drop_newest tells the gap behind what waits, even if no message follows") {
  OutboxLimits limits{.messages_max = 2};
  Outbox outbox{limits};
  for (Offset offset = 1; offset <= 5; ++offset) outbox.push(message("a", offset), Overflow::drop_newest);
  CHECK_EQ(read(write(outbox)), Events{"a1", "a2", "a gap 3-5 overflow"});
  outbox.push(message("a", 6), Overflow::drop_newest);
  CHECK_EQ(read(write(outbox)), Events{"a6"});
}

TEST_CASE("latest keeps one message a topic and tells every skip") {
  OutboxLimits limits;
  Outbox outbox{limits};
  for (Offset offset = 1; offset <= 3; ++offset) {
    outbox.push(message("a", offset), Overflow::latest);
    outbox.push(message("b", offset), Overflow::latest);
  }
  CHECK_EQ(read(write(outbox)), Events{"a gap 1-2 latest", "b gap 1-2 latest", "a3", "b3"});
}

TEST_CASE("disconnect ends the connection at the first message that does not fit") {
  OutboxLimits limits{.messages_max = 1};
  Outbox outbox{limits};
  CHECK_EQ(outbox.push(message("a", 1), Overflow::disconnect), Pushed::accepted);
  CHECK_EQ(outbox.push(message("a", 2), Overflow::disconnect), Pushed::disconnect);
}

TEST_CASE("what a subscription spills is left to the owner, and drops nothing of others") {
  OutboxLimits limits{.messages_max = 2};
  Outbox outbox{limits};
  outbox.push(message("a", 1), Overflow::drop_oldest);
  CHECK_EQ(outbox.push(message("b", 1), Overflow::spill), Pushed::accepted);
  CHECK_EQ(outbox.push(message("b", 2), Overflow::spill), Pushed::spilled);
  CHECK_EQ(outbox.dropped(), 0);
  CHECK_EQ(outbox.push(message("a", 2), Overflow::drop_oldest), Pushed::accepted);  // of its own, not of what spills
  CHECK_EQ(read(write(outbox)), Events{"a gap 1-1 overflow", "b1", "a2"});
}

// Of the messages that admit() gives: "a3 a4".
std::string admit(Outbox& outbox) {
  std::vector<FrameRef> settled;
  outbox.admit(settled);
  std::string text;
  for (const auto& frame : settled) {
    text += (text.empty() ? "" : " ") + frame->topic + std::to_string(frame->position.offset);
  }
  return text;
}

TEST_CASE("what blocks waits over the limits, comes in as room is made, and keeps its place") {
  OutboxLimits limits{.messages_max = 2};
  Outbox outbox{limits};
  std::size_t frame_bytes = message("a", 1)->bytes.size();
  for (Offset offset = 1; offset <= 2; ++offset)
    CHECK_EQ(outbox.push(message("a", offset), Overflow::block), Pushed::accepted);
  for (Offset offset = 3; offset <= 4; ++offset)
    CHECK_EQ(outbox.push(message("a", offset), Overflow::block), Pushed::over);
  CHECK_EQ(outbox.push(message("a", 5), Overflow::block), Pushed::dropped);  // as many again, and no more
  CHECK_EQ(outbox.messages(), 2);
  CHECK_EQ(outbox.over(), 2);
  CHECK_EQ(admit(outbox), "");
  auto stream = write(outbox, frame_bytes);
  CHECK_EQ(admit(outbox), "a3");
  CHECK_EQ(outbox.over(), 1);
  stream += write(outbox);
  CHECK_EQ(admit(outbox), "a4");  // written before it was asked for
  CHECK_EQ(outbox.over(), 0);
  CHECK_EQ(read(stream), Events{"a1", "a2", "a3", "a4", "a gap 5-5 overflow"});
}

TEST_CASE("what waited too long becomes a gap where it stood, unless it is being written") {
  OutboxLimits limits{.messages_max = 1};
  Outbox outbox{limits};
  outbox.push(message("b", 1), Overflow::drop_newest);
  auto given_up = message("a", 1);
  CHECK_EQ(outbox.push(given_up, Overflow::block), Pushed::over);
  outbox.push_control(pong());
  CHECK(outbox.give_up(given_up));
  CHECK_FALSE(outbox.give_up(given_up));
  CHECK_EQ(outbox.dropped(), 1);
  CHECK_EQ(read(write(outbox)), Events{"b1", "a gap 1-1 overflow", "pong"});

  OutboxLimits tiny{.bytes_max = 10};  // less than any message: each waits until it is written
  Outbox other{tiny};
  auto begun = message("a", 2);
  CHECK_EQ(other.push(begun, Overflow::block), Pushed::over);
  auto stream = write(other, 5);
  CHECK_FALSE(other.give_up(begun));
  CHECK_EQ(read(stream + write(other)), Events{"a2"});
}

TEST_CASE("what waits over the limits takes no room of others") {
  OutboxLimits limits{.messages_max = 2};
  Outbox outbox{limits};
  outbox.push(message("b", 1), Overflow::drop_oldest);
  outbox.push(message("b", 2), Overflow::drop_oldest);
  CHECK_EQ(outbox.push(message("a", 1), Overflow::block), Pushed::over);
  CHECK_EQ(outbox.push(message("b", 3), Overflow::drop_oldest), Pushed::accepted);
  CHECK_EQ(outbox.dropped(), 1);
  CHECK_EQ(read(write(outbox)), Events{"b gap 1-1 overflow", "b2", "a1", "b3"});
}

TEST_CASE("a message of drop_oldest never pushes out one that may not be dropped") {
  OutboxLimits limits{.messages_max = 2};
  Outbox outbox{limits};
  outbox.push(message("keep", 1), Overflow::drop_newest);
  outbox.push(message("a", 1), Overflow::drop_oldest);
  outbox.push(message("a", 2), Overflow::drop_oldest);
  CHECK_EQ(read(write(outbox)), Events{"keep1", "a gap 1-1 overflow", "a2"});
  outbox.push(message("keep", 2), Overflow::drop_newest);
  outbox.push(message("keep", 3), Overflow::drop_newest);
  CHECK_EQ(outbox.push(message("a", 3), Overflow::drop_oldest), Pushed::dropped);
  CHECK_EQ(read(write(outbox)), Events{"keep2", "keep3", "a gap 3-3 overflow"});
}

TEST_CASE("bytes bound the outbox as the count does, and a message larger than all of it drops no other") {
  OutboxLimits limits{.bytes_max = 1000};
  Outbox outbox{limits};
  outbox.push(message("a", 1, 600), Overflow::drop_oldest);
  CHECK_EQ(outbox.push(message("a", 2, 2000), Overflow::drop_oldest), Pushed::dropped);
  CHECK_EQ(outbox.push(message("a", 3, 600), Overflow::drop_oldest), Pushed::accepted);
  CHECK_EQ(read(write(outbox)), Events{"a gap 1-2 overflow", "a3"});
}

TEST_CASE("priority orders frames of different topics, never those of one, and none before an answer") {
  OutboxLimits limits;
  Outbox outbox{limits};
  auto push = [&](std::string topic, Offset offset, Priority priority) {
    outbox.push(message(std::move(topic), offset, 1, priority), Overflow::drop_oldest);
  };
  push("slow", 1, Priority::low);
  push("chat", 1, Priority::normal);
  push("alarm", 1, Priority::high);
  push("chat", 2, Priority::high);
  push("chat", 3, Priority::normal);
  push("slow", 2, Priority::high);
  CHECK_EQ(read(write(outbox)), Events{"alarm1", "chat1", "chat2", "chat3", "slow1", "slow2"});
  push("slow", 3, Priority::low);
  outbox.push_control(pong());
  push("alarm", 2, Priority::high);
  CHECK_EQ(read(write(outbox)), Events{"slow3", "pong", "alarm2"});
}

TEST_CASE("without room the least priority goes first, and never the higher for the lower") {
  OutboxLimits limits{.messages_max = 3};
  Outbox outbox{limits};
  auto push = [&](std::string topic, Offset offset, Priority priority) {
    return outbox.push(message(std::move(topic), offset, 1, priority), Overflow::drop_oldest);
  };
  push("alarm", 1, Priority::high);
  push("slow", 1, Priority::low);
  push("chat", 1, Priority::normal);
  CHECK_EQ(push("chat", 2, Priority::normal), Pushed::accepted);
  CHECK_EQ(push("alarm", 2, Priority::high), Pushed::accepted);
  CHECK_EQ(push("slow", 2, Priority::low), Pushed::dropped);
  CHECK_EQ(read(write(outbox)), Events{"alarm1", "alarm2", "chat gap 1-1 overflow", "chat2", "slow gap 1-2 overflow"});
}

TEST_CASE("however long frames overtake in a queue that is never empty, its memory is that of what waits") {
  ShortQueue<int> queue;
  queue.push_back(0);
  for (int i = 1; i < 100'000; ++i) {
    queue.insert(queue.size(), i);
    queue.drop_front();
  }
  CHECK_EQ(queue.front(), 99'999);
  CHECK_LE(queue.capacity(), 16);
}

TEST_CASE("a queue has room for one element without more memory, and rests when nothing waits") {
  ShortQueue<int> queue;
  for (int i = 0; i < 10; ++i) {
    queue.push_back(i);
    CHECK_EQ(queue.front(), i);
    queue.drop_front();
  }
  CHECK_EQ(queue.capacity(), 1);
  for (int i = 0; i < 10; ++i) queue.push_back(i);
  queue.erase_if([](int i) { return i % 2 == 0; });
  CHECK(std::ranges::equal(queue, std::array{1, 3, 5, 7, 9}));
  queue.rest();  // not while something waits
  CHECK_EQ(queue.back(), 9);
  queue.clear();
  CHECK_EQ(queue.capacity(), 16);
  queue.rest();
  CHECK_EQ(queue.capacity(), 1);
  CHECK(queue.empty());
}

TEST_CASE("an outbox is as new when everything was written, and counts on") {
  OutboxLimits limits{.messages_max = 3};
  Outbox outbox{limits};
  for (int round = 0; round < 3; ++round) {
    for (Offset offset = 1; offset <= 3; ++offset) outbox.push(message("a", offset), Overflow::drop_oldest);
    outbox.push_control(base::Bytes{"answer"});
    CHECK_EQ(outbox.messages(), 3);
    write(outbox);
    CHECK(outbox.empty());
    CHECK_EQ(outbox.messages(), 0);
    CHECK_EQ(outbox.bytes(), 0);
    CHECK_EQ(outbox.control_bytes(), 0);
  }
  for (Offset offset = 1; offset <= 4; ++offset) outbox.push(message("a", offset), Overflow::drop_oldest);
  CHECK_EQ(outbox.dropped(), 1);
  write(outbox);
  outbox.rest();
  CHECK_EQ(outbox.dropped(), 0);
  CHECK_EQ(outbox.push(message("a", 5), Overflow::drop_oldest), Pushed::accepted);
}

TEST_CASE("what is half written stays whole") {
  OutboxLimits limits{.messages_max = 1};
  Outbox outbox{limits};
  outbox.push(message("a", 1), Overflow::drop_oldest);
  auto stream = write(outbox, 5);
  outbox.push(message("a", 2), Overflow::drop_oldest);
  outbox.push(message("a", 3), Overflow::drop_oldest);
  stream += write(outbox);
  CHECK_EQ(read(stream), Events{"a1", "a gap 2-3 overflow"});
}

TEST_CASE("control frames are never dropped, and too many end the connection") {
  OutboxLimits limits{.control_bytes_max = 100};
  Outbox outbox{limits};
  std::size_t accepted = 0;
  while (outbox.push_control(pong()) == Pushed::accepted) ++accepted;
  CHECK_EQ(accepted, 100 / pong().size() + 1);
}

TEST_CASE("what is missing before a frame that says where topics go on, and behind it, is told on its own side") {
  OutboxLimits limits{.messages_max = 2};
  Outbox oldest{limits};
  oldest.push(message("a", 1), Overflow::drop_oldest);
  oldest.push_divider(pong());
  for (Offset offset = 2; offset <= 5; ++offset) oldest.push(message("a", offset), Overflow::drop_oldest);
  CHECK_EQ(read(write(oldest)), Events{"a gap 1-1 overflow", "pong", "a gap 2-3 overflow", "a4", "a5"});
  Outbox newest{limits};
  for (Offset offset = 1; offset <= 3; ++offset) newest.push(message("a", offset), Overflow::drop_newest);
  newest.push_divider(pong());
  for (Offset offset = 4; offset <= 5; ++offset) newest.push(message("a", offset), Overflow::drop_newest);
  CHECK_EQ(read(write(newest)), Events{"a1", "a2", "a gap 3-3 overflow", "pong", "a gap 4-5 overflow"});
}

TEST_CASE("a frame that says where topics go on divides no gap once it is written, nor does any other answer") {
  OutboxLimits limits{.messages_max = 1};
  Outbox outbox{limits};
  outbox.push(message("b", 1), Overflow::drop_newest);
  outbox.push_divider(pong());
  auto stream = write(outbox);  // all at once
  outbox.push_divider(pong());
  outbox.push(message("b", 2), Overflow::drop_newest);
  outbox.push(message("a", 1), Overflow::drop_newest);
  stream += write(outbox, pong().size() + 1, 1);  // and in part
  outbox.push_control(pong());
  outbox.push(message("a", 2), Overflow::drop_newest);
  stream += write(outbox);
  CHECK_EQ(read(stream), Events{"b1", "pong", "pong", "b2", "a gap 1-2 overflow", "pong"});
}

TEST_CASE("too many open gaps end the connection") {
  OutboxLimits limits{.messages_max = 1, .gaps_max = 2};
  Outbox outbox{limits};
  outbox.push(message("a", 1), Overflow::drop_newest);
  CHECK_EQ(outbox.push(message("b", 1), Overflow::drop_newest), Pushed::dropped);
  CHECK_EQ(outbox.push(message("c", 1), Overflow::drop_newest), Pushed::dropped);
  CHECK_EQ(outbox.push(message("d", 1), Overflow::drop_newest), Pushed::overrun);
  CHECK(outbox.is_overrun());
  write(outbox);
  CHECK_FALSE(outbox.is_overrun());
}

TEST_CASE("recovered messages are not dropped and have a bound of their own") {
  OutboxLimits limits{.messages_max = 1, .recovered_max = 2};
  Outbox outbox{limits};
  CHECK(outbox.has_room_to_recover(2, 100));
  CHECK_FALSE(outbox.has_room_to_recover(3, 100));
  outbox.push_recovered(message("a", 1));
  outbox.push_recovered(message("a", 2));
  CHECK_FALSE(outbox.has_room_to_recover(1, 0));
  outbox.push(message("a", 3), Overflow::drop_oldest);
  outbox.push(message("a", 4), Overflow::drop_oldest);
  CHECK_EQ(read(write(outbox)), Events{"a1", "a2", "a gap 3-3 overflow", "a4"});
  CHECK(outbox.has_room_to_recover(2, 100));
}

TEST_CASE("what is recovered is bounded over all connections of a core, until it is written or they end") {
  constexpr std::size_t bytes = 100'000;
  const auto large = [] { return FrameRef::message(base::Bytes{std::string(bytes, 'x')}, "a", {Epoch{"e"}, 1}); };
  OutboxLimits limits{.recovered_bytes_of_all_max = 3 * bytes};
  OutboxFigures figures;
  auto first = std::make_unique<Outbox>(limits);
  Outbox second{limits};
  first->count_in(figures);
  second.count_in(figures);
  first->push_recovered(large());
  second.push_recovered(large());
  CHECK(second.has_room_to_recover(1, bytes));
  CHECK_FALSE(second.has_room_to_recover(2, 2 * bytes));
  while (!second.empty()) write(second);
  CHECK(second.has_room_to_recover(2, 2 * bytes));
  CHECK_FALSE(second.has_room_to_recover(3, 3 * bytes));
  first->push_recovered(large());
  first->push_recovered(large());
  CHECK_FALSE(second.has_room_to_recover(1, bytes));
  CHECK(second.has_room_to_recover(1, 64 * 1024));  // a little is there for each
  first.reset();
  CHECK(second.has_room_to_recover(3, 3 * bytes));
}

TEST_CASE("connections share one frame, and the last one frees it") {
  OutboxLimits limits;
  Outbox first{limits}, second{limits};
  auto frame = message("a", 1);
  const void* bytes = frame->bytes.data();
  first.push(frame, Overflow::drop_oldest);
  second.push(std::move(frame), Overflow::drop_oldest);
  iovec part;
  CHECK_EQ(first.gather({&part, 1}), 1);
  CHECK_EQ(part.iov_base, bytes);
  CHECK_EQ(read(write(first)), read(write(second)));
}

using Tops = std::map<std::string, Offset>;

// Checks that a stream tells of each topic's offsets 1..top once and in order, as messages or within gaps; and before
// each pong, which divides them, of as many as there were when it was pushed.
bool tells_all(const std::vector<std::string>& events, const Tops& tops, const std::vector<Tops>& divided) {
  Tops told;
  std::size_t pongs = 0;
  for (const auto& event : events) {
    if (event == "pong") {
      if (told != divided.at(pongs++)) return false;
      continue;
    }
    auto topic = event.substr(0, 1);
    Offset from = 0, to = 0;
    if (std::sscanf(event.c_str() + 1, " gap %lu-%lu", &from, &to) != 2) from = to = std::stoul(event.substr(1));
    if (from != told[topic] + 1 || to < from) return false;
    told[topic] = to;
  }
  for (const auto& [topic, top] : tops) {
    if (told[topic] != top) return false;
  }
  return true;
}

TEST_CASE("whatever is pushed and however the socket takes it, every offset is delivered or told, in order") {
  CHECK(rc::check("no silent loss", [] {
    OutboxLimits limits{.messages_max = *rc::gen::inRange<std::size_t>(1, 6),
                        .bytes_max = *rc::gen::inRange<std::size_t>(100, 1000)};
    Outbox outbox{limits};
    const std::map<std::string, Overflow> policies{{"a", Overflow::drop_oldest},
                                                   {"b", Overflow::drop_newest},
                                                   {"c", Overflow::latest},
                                                   {"d", Overflow::drop_oldest},
                                                   {"e", Overflow::block}};
    std::vector<FrameRef> over;  // of which no settlement was told yet
    auto settle = [&] {
      std::vector<FrameRef> settled;
      outbox.admit(settled);
      for (const auto& frame : settled) {
        RC_ASSERT(std::erase_if(over, [&](const FrameRef& one) { return &*one == &*frame; }) <= 1);
      }
    };
    Tops tops;
    std::vector<Tops> divided;
    std::string stream;
    auto steps = *rc::gen::inRange(0, 80);
    for (int step = 0; step < steps; ++step) {
      if (*rc::gen::inRange(0, 5) == 0) {
        stream += write(outbox, *rc::gen::inRange<std::size_t>(0, 500), *rc::gen::inRange<std::size_t>(1, 4));
        settle();
        continue;
      }
      if (*rc::gen::inRange(0, 8) == 0) {
        outbox.push_divider(pong());
        divided.push_back(tops);
        continue;
      }
      auto topic = *rc::gen::elementOf(std::vector<std::string>{"a", "b", "c", "d", "e"});
      auto priority = static_cast<Priority>(*rc::gen::inRange(0, 3));
      auto frame = message(topic, ++tops[topic], *rc::gen::inRange<std::size_t>(0, 200), priority);
      if (outbox.push(frame, policies.at(topic)) == Pushed::over) over.push_back(frame);
      RC_ASSERT(outbox.over() <= limits.messages_max);
      if (!over.empty() && *rc::gen::inRange(0, 8) == 0) {
        outbox.give_up(over.back());
        over.pop_back();
      }
      RC_ASSERT(outbox.messages() <= limits.messages_max);
      RC_ASSERT(outbox.bytes() <= limits.bytes_max);
    }
    stream += write(outbox);
    settle();
    RC_ASSERT(over.empty());
    RC_ASSERT(outbox.empty());
    RC_ASSERT(tells_all(read(stream), tops, divided));
  }));
}

}  // namespace
}  // namespace troupe::realtime
