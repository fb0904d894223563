// Fibers: functions that pause in the middle of a call, with their variables and their exceptions.
#include "troupe/store/fiber.h"

#include <doctest/doctest.h>

#include <exception>
#include <stdexcept>

namespace troupe::store {
namespace {

TEST_CASE("a function pauses in the middle and goes on where it was") {
  Fiber fiber;
  std::string said;
  fiber.start([&] {
    for (int i = 0; i < 3; ++i) {
      said += std::to_string(i);
      fiber.pause();
    }
  });
  CHECK_EQ(said, "0");
  said += "-";
  fiber.resume();
  CHECK_EQ(said, "0-1");
  CHECK(fiber.is_busy());
  fiber.resume();
  fiber.resume();
  CHECK_FALSE(fiber.is_busy());
  CHECK_EQ(said, "0-12");
}

TEST_CASE("a fiber runs one function after the other, and lets go of what they held") {
  Fiber fiber;
  const auto held = std::make_shared<int>(0);
  for (int round = 0; round < 1000; ++round) {
    fiber.start([&fiber, held] {
      ++*held;
      fiber.pause();
      ++*held;
    });
    fiber.resume();
  }
  CHECK_EQ(*held, 2000);
  CHECK_EQ(held.use_count(), 1);
}

TEST_CASE("what a fiber handles when it pauses is not seen by others, and they do not disturb it") {
  Fiber one;
  Fiber other;
  std::vector<std::string> caught;
  const auto function = [&](Fiber& fiber, const char* name) {
    return [&caught, &fiber, name] {
      try {
        throw std::runtime_error(name);
      } catch (const std::runtime_error&) {
        fiber.pause();
        try {
          throw;  // the exception that this fiber handles
        } catch (const std::runtime_error& again) {
          caught.emplace_back(again.what());
        }
      }
    };
  };
  one.start(function(one, "one"));
  other.start(function(other, "other"));
  CHECK(std::current_exception() == nullptr);
  one.resume();
  other.resume();
  CHECK_EQ(caught, std::vector<std::string>{"one", "other"});
}

struct PausesAtItsEnd {
  Fiber& fiber;
  ~PausesAtItsEnd() { fiber.pause(); }
};

TEST_CASE("a fiber may pause while an exception unwinds it, and nobody else is unwound") {
  Fiber fiber;
  bool caught = false;
  fiber.start([&] {
    try {
      const PausesAtItsEnd pauses{fiber};
      throw std::runtime_error("on the way");
    } catch (const std::runtime_error&) {
      caught = true;
    }
  });
  CHECK_EQ(std::uncaught_exceptions(), 0);
  CHECK_FALSE(caught);
  fiber.resume();
  CHECK(caught);
}

std::size_t depth(std::size_t left) {
  std::array<volatile char, 256> room{};
  room[left % room.size()] = 1;
  return left == 0 ? 0 : depth(left - 1) + static_cast<std::size_t>(room[left % room.size()]);
}

TEST_CASE("the stack is deep enough for deep calls") {
  Fiber fiber;
  std::size_t reached = 0;
  fiber.start([&] { reached = depth(200); });
  CHECK_EQ(reached, 200);
}

}  // namespace
}  // namespace troupe::store
