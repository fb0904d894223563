// Savina's chameneos: many actors contend for one, the mall where two at a time meet and change colours.
#include "bench/savina/support.h"

namespace troupe::bench::savina {
namespace {

enum class Colour : std::uint8_t { blue, red, yellow };

Colour complement(Colour a, Colour b) {
  if (a == b) return a;
  return static_cast<Colour>(3 - static_cast<int>(a) - static_cast<int>(b));
}

class Chameneo;
class Mall;

struct Meet {
  Ref<Chameneo> who;
  Colour colour;
};
struct Met {
  Colour colour;
};
struct Over {};
struct Meetings {
  std::uint64_t count;
};
struct Enter {
  Ref<Mall> mall;
};

class Chameneo {
 public:
  explicit Chameneo(Colour colour) : colour_(colour) {}
  void handle(Enter message, Context& ctx);
  void handle(Met message, Context& ctx);
  void handle(Over);

 private:
  Colour colour_;
  std::uint64_t meetings_ = 0;
  Ref<Mall> mall_;
};

class Mall {
 public:
  Mall(std::vector<Ref<Chameneo>> guests, std::uint64_t meetings) : guests_(std::move(guests)), left_(meetings) {}

  void handle(Begin, Reply<actor::NoError> reply, Context& ctx) {
    reply_ = std::move(reply);
    present_ = guests_.size();
    expected_ = left_ * 2;
    for (const auto& guest : guests_) guest.tell(Enter{ctx.self(this)});
  }
  void handle(Meet message) {
    if (left_ == 0) {
      message.who.tell(Over{});
      return;
    }
    if (!waiting_.who) {
      waiting_ = message;
      return;
    }
    --left_;
    const Colour both = complement(waiting_.colour, message.colour);
    waiting_.who.tell(Met{both});
    message.who.tell(Met{both});
    waiting_ = {};
  }
  void handle(Meetings message) {
    counted_ += message.count;
    if (--present_ > 0) return;
    if (counted_ != expected_) throw std::runtime_error("meetings were lost");
    reply_.set({});
  }

 private:
  std::vector<Ref<Chameneo>> guests_;
  std::uint64_t left_;
  std::uint64_t expected_ = 0;
  std::uint64_t counted_ = 0;
  std::size_t present_ = 0;
  Meet waiting_{};
  Reply<actor::NoError> reply_;
};

void Chameneo::handle(Enter message, Context& ctx) {
  mall_ = message.mall;
  mall_.tell(Meet{ctx.self(this), colour_});
}
void Chameneo::handle(Met message, Context& ctx) {
  colour_ = message.colour;
  ++meetings_;
  mall_.tell(Meet{ctx.self(this), colour_});
}
void Chameneo::handle(Over) { mall_.tell(Meetings{meetings_}); }

}  // namespace

Outcome chameneos(Setting setting) {
  const std::uint64_t meetings = 200'000 * setting.scale;
  System system{{.cores = setting.cores}};
  std::vector<Ref<Chameneo>> guests;
  for (std::uint64_t i = 0; i < 100; ++i) {
    guests.push_back(system.spawn<Chameneo>({.core = core_of(i, system)}, static_cast<Colour>(i % 3)));
  }
  const auto mall = system.spawn<Mall>({.core = 0}, guests, meetings);
  return {meetings * 4, run(system, mall)};
}

}  // namespace troupe::bench::savina
