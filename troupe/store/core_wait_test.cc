// CoreWait: a function on a core waits for one socket after the other, also where two of them have the same number.
#include "troupe/store/core_wait.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "troupe/actor/actor.h"
#include "troupe/actor/system.h"

namespace troupe::store {
namespace {

constexpr actor::IoEvents read_only{.read = true};
constexpr base::Duration patience = std::chrono::seconds{10};

/// Two ends, of which the first one has something to read.
struct ReadyPair {
  std::array<int, 2> ends{-1, -1};
  ReadyPair() {
    REQUIRE_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    REQUIRE_EQ(::write(ends[1], "x", 1), 1);
  }
  ReadyPair(const ReadyPair&) = delete;
  ReadyPair& operator=(const ReadyPair&) = delete;
  ~ReadyPair() {
    for (const int end : ends) ::close(end);
  }
  int socket() const { return ends[0]; }
};

struct WaitForBoth {
  int first = -1, second = -1;
  using reply = std::vector<Waited>;
};

/// Waits for the first socket, closes it, gives its number to the second one, and waits for that.
class Waiter {
 public:
  void handle(WaitForBoth message, actor::Reply<std::vector<Waited>> reply) {
    wait_.run([this, message] { outcomes_ = outcomes(message); },
              [this, reply = std::move(reply)]() mutable { reply.set(std::move(outcomes_)); });
  }

 private:
  std::vector<Waited> outcomes(const WaitForBoth& sockets) {
    std::vector<Waited> outcomes{wait_.wait(sockets.first, read_only, patience)};
    ::close(sockets.first);
    wait_.forget(sockets.first);
    ::dup2(sockets.second, sockets.first);
    outcomes.push_back(wait_.wait(sockets.first, read_only, patience));
    wait_.forget(sockets.first);
    return outcomes;
  }

  CoreWait wait_;
  std::vector<Waited> outcomes_;
};

TEST_CASE("a number that is forgotten when its socket has been closed is waited for anew when another one has it") {
  const ReadyPair first, second;
  actor::System system{{.cores = 1}};
  const auto waiter = system.spawn<Waiter>({.name = "waiter"});
  const auto outcomes = system.block_on(waiter.ask(WaitForBoth{first.socket(), second.socket()})).value();
  CHECK_EQ(outcomes, std::vector{Waited::ready, Waited::ready});
}

}  // namespace
}  // namespace troupe::store
