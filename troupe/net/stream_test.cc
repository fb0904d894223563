// The contract of Stream, which every kind of it keeps: sockets, the memory twin, and TLS on
// the twin, also where the network is at its worst.
#include "troupe/net/stream.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <functional>
#include <optional>

#include "troupe/actor/sim/world.h"
#include "troupe/crypto/testing/certificates.h"
#include "troupe/net/memory_network.h"
#include "troupe/net/socket.h"
#include "troupe/net/tls_stream.h"

namespace troupe::net {
namespace {

/// One end that notes what it is told.
struct End final : StreamEvents {
  void take(std::unique_ptr<Stream> its_stream) {
    stream = std::move(its_stream);
    stream->start(*this);
  }
  void on_bytes(std::span<char> bytes) override {
    CHECK_FALSE(closed.has_value());
    received.append(bytes.data(), bytes.size());
    std::ranges::fill(bytes, '#');  // the receiver may change them
    if (on_each) on_each();
  }
  void on_writable() override { ++writable; }
  void on_closed(CloseReason reason) override { closed = reason; }
  std::size_t write(std::string_view text) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    return stream->write_some({&part, 1});
  }

  std::unique_ptr<Stream> stream;
  std::string received;
  std::optional<CloseReason> closed;
  std::function<void()> on_each;
  int writable = 0;
};

/// Two connected ends, and the time in which what is under way arrives.
struct Connected {
  virtual ~Connected() = default;
  virtual void settle() = 0;
  End a, b;
};

struct ByMemory : Connected {
  explicit ByMemory(MemoryNetworkOptions options = {}) : network(world.core(0), options) {
    auto [one, other] = network.pair({}, {});
    a.take(std::move(one));
    b.take(std::move(other));
  }
  ~ByMemory() override { a.stream.reset(), b.stream.reset(); }
  void settle() override { world.run_until_idle(); }
  actor::test::World world{1};
  MemoryNetwork network;
};

struct ByTls : Connected {
  explicit ByTls(MemoryNetworkOptions options = {}) : network(world.core(0), options) {
    using namespace crypto::testing;
    auto [one, other] = network.pair({}, {});
    auto client = std::make_unique<TlsStream>(world.core(0), std::move(one), *trust);
    auto server = std::make_unique<TlsStream>(world.core(0), std::move(other), *shown);
    client->shake_hands(nullptr, TlsStream::Hello::say);
    server->shake_hands(nullptr, TlsStream::Hello::wait);
    a.take(std::move(client));
    b.take(std::move(server));
    ByTls::settle();
  }
  ~ByTls() override { a.stream.reset(), b.stream.reset(); }
  void settle() override { world.advance(std::chrono::milliseconds{100}); }
  std::shared_ptr<const crypto::TlsContext> shown =
      crypto::TlsContext::server(crypto::testing::first_certificate,
                                 base::Secret<std::string>{std::string{crypto::testing::first_key}})
          .value();
  std::shared_ptr<const crypto::TlsContext> trust =
      crypto::TlsContext::client(crypto::testing::first_certificate, std::string{crypto::testing::certificate_name})
          .value();
  actor::test::World world{1};
  MemoryNetwork network;
};

struct BySocket : Connected {
  BySocket() {
    int ends[2];
    REQUIRE_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    auto buffer = std::make_shared<ReadBuffer>();
    a.take(std::make_unique<Socket>(*poller, Descriptor{ends[0]}, PeerAddress{}, buffer));
    b.take(std::make_unique<Socket>(*poller, Descriptor{ends[1]}, PeerAddress{}, buffer));
  }
  ~BySocket() override { a.stream.reset(), b.stream.reset(); }
  void settle() override {
    for (int i = 0; i < 50; ++i) {
      if (poller->wait(base::Duration::zero())) poller->dispatch();
    }
  }
  std::unique_ptr<actor::Poller> poller = actor::epoll_poller();
};

struct Kind {
  std::string_view name;
  std::function<std::unique_ptr<Connected>()> make;
};

base::SeededRandom& dice() {
  static base::SeededRandom random{7};
  return random;
}

const Kind kinds[] = {
    {"a socket", [] { return std::make_unique<BySocket>(); }},
    {"memory", [] { return std::make_unique<ByMemory>(); }},
    {"memory that holds little", [] { return std::make_unique<ByMemory>(MemoryNetworkOptions{.buffer_bytes = 100}); }},
    {"TLS", [] { return std::make_unique<ByTls>(); }},
    {"TLS on memory that holds little",
     [] { return std::make_unique<ByTls>(MemoryNetworkOptions{.buffer_bytes = 100}); }},
    {"TLS byte by byte", [] { return std::make_unique<ByTls>(MemoryNetworkOptions{.piece_bytes_max = 1}); }},
    {"TLS where all comes short and late",
     [] {
       return std::make_unique<ByTls>(MemoryNetworkOptions{
           .buffer_bytes = 3000,
           .faults = {
               .random = &dice(), .short_write_in = 2, .short_read_in = 2, .delay_max = std::chrono::milliseconds{5}}});
     }},
};

/// Runs the check on every kind.
void on_each_kind(const std::function<void(Connected&)>& check) {
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    auto connected = kind.make();
    check(*connected);
  }
}

std::string numbers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i) + " ";
  return text;
}

/// Writes all of `text` from one end, as the stream takes it.
void write_all(Connected& ends, End& from, std::string_view text) {
  for (int turn = 0; turn < 100'000 && !text.empty(); ++turn) {
    text.remove_prefix(from.write(text));
    if (!text.empty()) ends.settle();
  }
  CHECK(text.empty());
  ends.settle();
}

TEST_CASE("bytes arrive once and in order, in both directions") {
  on_each_kind([](Connected& ends) {
    const auto there = numbers(3000), back = numbers(500);
    write_all(ends, ends.a, there);
    write_all(ends, ends.b, back);
    for (int turn = 0; turn < 500; ++turn) ends.settle();
    CHECK(ends.b.received == there);
    CHECK(ends.a.received == back);
  });
}

TEST_CASE("parts of a gathered write arrive as one run of bytes") {
  on_each_kind([](Connected& ends) {
    std::string big(40, 'b');
    iovec parts[] = {
        {const_cast<char*>("one "), 4}, {nullptr, 0}, {big.data(), big.size()}, {const_cast<char*>(" two"), 4}};
    const auto taken = ends.a.stream->write_some(parts);
    for (int turn = 0; turn < 200; ++turn) ends.settle();
    CHECK_EQ(ends.b.received, ("one " + big + " two").substr(0, taken));
    CHECK_GT(taken, 0);
  });
}

TEST_CASE("parts of any number and size arrive in order, as far as they were taken") {
  struct Row {
    std::size_t parts, bytes;  // of each
  };
  for (const Row row : {Row{1, 1}, {2, 1}, {16, 100}, {64, 256}, {40, 512}, {40, 513}, {3, 9000}, {3000, 7}}) {
    CAPTURE(row.parts);
    CAPTURE(row.bytes);
    on_each_kind([&](Connected& ends) {
      const auto all = numbers(static_cast<int>(row.parts * row.bytes));
      std::vector<iovec> parts;
      for (std::size_t i = 0; i < row.parts; ++i) {
        parts.push_back({const_cast<char*>(all.data()) + i * row.bytes, row.bytes});
      }
      const auto taken = ends.a.stream->write_some(parts);
      CHECK_GT(taken, 0);
      for (int turn = 0; turn < 2000 && ends.b.received.size() < taken; ++turn) ends.settle();
      CHECK(ends.b.received == all.substr(0, taken));
    });
  }
}

TEST_CASE("a write that comes short is told when there is room again, and nothing is lost") {
  on_each_kind([](Connected& ends) {
    ends.b.stream->pause_reading();
    const auto all = numbers(200'000);
    std::string_view rest = all;
    for (int turn = 0; turn < 1000; ++turn) {
      rest.remove_prefix(ends.a.write(rest));
      ends.settle();
    }
    REQUIRE_FALSE(rest.empty());
    CHECK(ends.b.received.empty());
    const auto before = ends.a.writable;
    ends.b.stream->resume_reading();
    for (int turn = 0; turn < 300; ++turn) ends.settle();
    CHECK_GT(ends.a.writable, before);
    CHECK(ends.b.received == all.substr(0, all.size() - rest.size()));
  });
}

TEST_CASE("an owner may pause in the middle of what comes, and gets the rest later") {
  on_each_kind([](Connected& ends) {
    ends.b.on_each = [&] { ends.b.stream->pause_reading(); };
    const auto text = numbers(20);
    write_all(ends, ends.a, text);
    ends.settle();
    const auto first = ends.b.received.size();
    CHECK_GT(first, 0);
    ends.settle();
    CHECK_EQ(ends.b.received.size(), first);
    ends.b.on_each = nullptr;
    ends.b.stream->resume_reading();
    for (int turn = 0; turn < 300; ++turn) ends.settle();
    CHECK_EQ(ends.b.received, text);
  });
}

TEST_CASE("an owner that has paused hears that the other side says no more when it reads on") {
  on_each_kind([](Connected& ends) {
    ends.b.stream->pause_reading();
    ends.a.stream->shutdown_write();
    for (int turn = 0; turn < 200; ++turn) ends.settle();
    CHECK_FALSE(ends.b.closed.has_value());
    ends.b.stream->resume_reading();
    for (int turn = 0; turn < 200; ++turn) ends.settle();
    CHECK_EQ(ends.b.closed, CloseReason::finished);
  });
}

TEST_CASE("a side that says no more still hears the other") {
  on_each_kind([](Connected& ends) {
    const auto question = numbers(10), answer = numbers(20);
    write_all(ends, ends.a, question);
    ends.a.stream->shutdown_write();
    for (int turn = 0; turn < 200; ++turn) ends.settle();
    CHECK_EQ(ends.b.received, question);
    CHECK_EQ(ends.b.closed, CloseReason::finished);
    CHECK_FALSE(ends.a.closed.has_value());
    write_all(ends, ends.b, answer);
    for (int turn = 0; turn < 200; ++turn) ends.settle();
    CHECK_EQ(ends.a.received, answer);
  });
}

TEST_CASE("who closes lets its bytes arrive; who then writes is told of a reset, once") {
  on_each_kind([](Connected& ends) {
    write_all(ends, ends.a, "last words");
    for (int turn = 0; turn < 100; ++turn) ends.settle();
    ends.a.stream.reset();
    for (int turn = 0; turn < 100; ++turn) ends.settle();
    CHECK_EQ(ends.b.received, "last words");
    CHECK_EQ(ends.b.closed, CloseReason::finished);
    for (int turn = 0; turn < 5 && ends.b.closed != CloseReason::reset; ++turn) {
      (void)ends.b.write("anybody there?");
      ends.settle();
    }
    CHECK_EQ(ends.b.closed, CloseReason::reset);
  });
}

TEST_CASE("an owner may destroy its stream in an event") {
  on_each_kind([](Connected& ends) {
    ends.b.on_each = [&] { ends.b.stream.reset(); };
    write_all(ends, ends.a, "one");
    for (int turn = 0; turn < 100; ++turn) ends.settle();
    CHECK_FALSE(ends.b.received.empty());
    CHECK_EQ(ends.b.stream, nullptr);
  });
}

TEST_CASE("a stream goes to another owner with what has not been read") {
  on_each_kind([](Connected& ends) {
    ends.b.stream->pause_reading();
    write_all(ends, ends.a, "for the next");
    End next;
    next.take(std::move(ends.b.stream));
    next.stream->resume_reading();
    for (int turn = 0; turn < 100; ++turn) ends.settle();
    CHECK_EQ(ends.b.received + next.received, "for the next");
    next.stream.reset();
  });
}

}  // namespace
}  // namespace troupe::net
