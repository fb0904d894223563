// OutboxPool: what is lent is like new, whoever had it before.
#include "troupe/realtime/connection/outbox_pool.h"

#include <doctest/doctest.h>

#include <array>

#include "troupe/realtime/connection/connection_figures.h"
#include "troupe/realtime/connection/frame_coding.h"

namespace troupe::realtime {
namespace {

FrameRef text(std::string bytes) { return FrameRef::message(base::Bytes{std::move(bytes)}, "a", {Epoch{"e"}, 1}); }

struct Shouting : FrameCoding {
  FrameRef outgoing(FrameRef frame) override { return text(std::string{frame->bytes.view()} + "!"); }
};

std::string write(Outbox& outbox) {
  std::array<iovec, 4> parts;
  std::string written;
  for (const auto& part : std::span{parts}.first(outbox.gather(parts))) {
    written.append(static_cast<const char*>(part.iov_base), part.iov_len);
  }
  outbox.written(written.size());
  return written;
}

struct Site {
  OutboxLimits limits{.messages_max = 1};
  OutboxFigures figures;
  OutboxPool pool{limits, figures};
};

TEST_CASE("one that came back is lent again, empty, and codes as its next connection does") {
  Site site;
  Shouting shouting;
  auto first = site.pool.lend(&shouting);
  const auto* address = first.get();
  first->push(text("one"), Overflow::drop_oldest);
  CHECK_EQ(write(*first), "one!");
  REQUIRE(first->is_fresh());
  site.pool.take_back(std::move(first));

  auto second = site.pool.lend(nullptr);
  CHECK_EQ(second.get(), address);
  CHECK(second->empty());
  second->push(text("two"), Overflow::drop_oldest);
  CHECK_EQ(write(*second), "two");
}

TEST_CASE("each connection has its own, with the limits and the figures of the core") {
  Site site;
  auto one = site.pool.lend(nullptr), other = site.pool.lend(nullptr);
  CHECK_NE(one.get(), other.get());
  one->push(text("kept"), Overflow::drop_newest);
  CHECK(one->push(text("dropped"), Overflow::drop_newest) == Outbox::Pushed::dropped);
  CHECK_EQ(site.figures.dropped_by(Overflow::drop_newest, "a"), 1);
  CHECK(other->empty());
}

TEST_CASE("what a connection has that was lent none is empty for good") {
  Site site;
  CHECK(site.pool.nothing().empty());
  CHECK(site.pool.nothing().is_fresh());
}

}  // namespace
}  // namespace troupe::realtime
