// Supervision against a model: random trees, strategies, faults and stops, held against what a page of plain code says.
#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

using Lines = std::vector<std::string>;

constexpr int kinds = 4;  // of exceptions, about each of which each supervisor has its own mind
constexpr int gave_up = kinds;
template <int kind>
struct Kind : std::exception {
  const char* what() const noexcept override { return "of a kind"; }
};
[[noreturn]] void throw_kind(int kind) {
  switch (kind) {
    case 0:
      throw Kind<0>{};
    case 1:
      throw Kind<1>{};
    case 2:
      throw Kind<2>{};
    default:
      throw Kind<3>{};
  }
}

/// What one leaf writes down, over all its incarnations.
struct Page {
  std::string name;
  int objects = 0;
  int objects_max = 0;
  int marks = 0;
  int last_mark = 0;
  bool out_of_order = false;
  int bad_starts = 0;
  int bad_kind = 0;
  std::shared_ptr<Lines> log;
};
using Paper = std::shared_ptr<Page>;

struct Break {
  int kind;
};
struct Quit {};
struct Mark {
  int number;
};
struct Count {
  using reply = int;
};

/// Fails where it is told to: in its constructor, or in its start before or after it has waited.
enum class Weakness : std::uint8_t { constructor, start, late_start };

class Leaf {
 public:
  Leaf(Paper page, Weakness weakness) : page_(std::move(page)), weakness_(weakness) {
    if (weakness_ == Weakness::constructor) fail_if_told();
    page_->objects_max = std::max(page_->objects_max, ++page_->objects);
  }
  ~Leaf() { --page_->objects; }
  Task<void> started(Context& ctx) {
    if (weakness_ == Weakness::start) fail_if_told();
    co_await ctx.sleep(1ms);
    if (weakness_ == Weakness::late_start) fail_if_told();
    page_->log->push_back("+" + page_->name);
  }
  void stopped(Context&) { page_->log->push_back("-" + page_->name); }
  void handle(Break m) { throw_kind(m.kind); }
  void handle(Quit, Context& ctx) { ctx.stop(); }
  void handle(Mark m) {
    page_->out_of_order |= m.number <= std::exchange(page_->last_mark, m.number);
    ++page_->marks;
  }
  int handle(Count) { return ++count_; }

 private:
  void fail_if_told() {
    if (page_->bad_starts == 0) return;
    --page_->bad_starts;
    page_->log->push_back("!" + page_->name);
    throw_kind(page_->bad_kind);
  }
  Paper page_;
  Weakness weakness_;
  int count_ = 0;
};

/// One node of the tree: what the runtime is told about it, and what the model thinks of it.
struct Node {
  std::string name;
  std::string path;
  Node* parent = nullptr;  // null: the top, which the root restarts alone and for ever
  std::vector<Node*> children;
  Restart restart = Restart::transient;
  int core = 0;

  Strategy strategy = Strategy::one_for_one;
  std::uint32_t limit = 0;
  Directive mind[kinds] = {};
  Ref<Supervisor> supervisor;

  Paper page;  // a leaf's
  Weakness weakness = Weakness::start;
  Ref<Leaf> leaf;
  int told = 0;

  bool ended = false;
  bool halted = true;
  bool failed = false;
  bool started = false;
  bool has_object = false;
  bool member = false;  // of its supervisor's round
  bool ran = false;
  int life = 0;
  int restarts = 0;
  int count = 0;
  int bad_starts = 0;
  std::uint32_t recent = 0;

  bool is_leaf() const { return page != nullptr; }
};

/// What ought to happen, one thing after the other. Where the runtime does several at once, only what happens is
/// certain and not its order: `overlaps`; and where the outcome depends on the order, nothing is: `unknown`.
struct Model {
  Lines expected;
  bool overlaps = false;
  bool unknown = false;

  void say(char what, const Node& n) { expected.push_back(what + n.name); }

  void halt(Node& n) {
    if (n.halted) return;
    n.recent = 0;
    ++n.life;
    for (auto at = n.children.rbegin(); at != n.children.rend(); ++at) {
      halt(**at);
      (*at)->member = false;
    }
    if (n.is_leaf() && n.started && !n.failed) say('-', n);
    n.has_object = n.failed = false;
    n.halted = true;
  }

  void stop(Node& n) {
    ++n.life;
    while (!n.children.empty()) stop(*n.children.back());
    if (n.has_object) say('-', n);
    n.has_object = false;
    n.ended = true;
    if (n.parent != nullptr) std::erase(n.parent->children, &n);
  }

  /// The kind of exception that its start failed with, if it did.
  std::optional<int> start(Node& n) {
    if (std::exchange(n.ran, true)) ++n.restarts;
    n.halted = n.failed = n.started = false;
    n.count = 0;
    if (n.is_leaf() && n.bad_starts > 0) {
      --n.bad_starts;
      n.has_object = n.weakness != Weakness::constructor;
      say('!', n);
      return n.page->bad_kind;
    }
    if (n.is_leaf()) say('+', n);
    n.has_object = n.is_leaf();
    for (Node* child : n.children) {
      if (auto kind = start(*child)) {
        child->failed = true;
        return kind;
      }
    }
    n.started = true;
    return {};
  }

  void fail(Node& n, int kind) {
    n.failed = true;
    if (n.parent == nullptr) return restart_alone(n);
    Node& s = *n.parent;
    Directive directive = kind < kinds ? s.mind[kind] : Directive::restart;
    if (directive == Directive::resume && !n.started) directive = Directive::restart;
    const bool restarts = directive == Directive::restart || directive == Directive::restart_all;
    if (restarts && n.restart == Restart::temporary) directive = Directive::stop;
    if (directive == Directive::resume) return resume(n);
    if (directive == Directive::stop) return stop(n);
    if (directive == Directive::escalate) return fail(s, kind);
    if (s.recent >= s.limit) return fail(s, gave_up);
    ++s.recent;
    if (directive == Directive::restart_all || s.strategy == Strategy::all_for_one) return restart_together(s, 0);
    const auto at = std::find(s.children.begin(), s.children.end(), &n);
    if (s.strategy == Strategy::rest_for_one)
      return restart_together(s, static_cast<std::size_t>(at - s.children.begin()));
    n.member = false;
    // A round that it was a member of goes on meanwhile.
    if (waiting_member(s) != nullptr) overlaps = true;
    if (waiting_member(s) != nullptr && bad_starts_below(s) > 0) unknown = true;
    restart_alone(n);
  }

  void resume(Node& n) {
    n.failed = false;
    const auto children = n.children;
    for (Node* child : children) {
      if (!child->failed) continue;
      if (child->started) {
        resume(*child);
      } else {
        if (waiting_member(n) != nullptr || bad_starts_below(n) > 0) unknown = true;
        child->member = false;
        restart_alone(*child);
      }
    }
    start_members(n);
  }

  void restart_alone(Node& n) {
    halt(n);
    if (auto kind = start(n)) fail(n, *kind);
  }

  void restart_together(Node& s, std::size_t from) {
    for (Node* child : s.children) {
      if (!child->halted && !child->failed) child->member = false;  // it has started in the round before
    }
    for (std::size_t i = from; i < s.children.size(); ++i) s.children[i]->member = true;
    const auto children = s.children;
    for (auto at = children.rbegin(); at != children.rend(); ++at) {
      Node& child = **at;
      if (!child.member || child.halted) continue;
      if (child.restart == Restart::temporary) {
        stop(child);
      } else {
        halt(child);
      }
    }
    start_members(s);
  }

  static Node* waiting_member(const Node& s) {
    for (Node* child : s.children) {
      if (child->member && child->halted) return child;
    }
    return nullptr;
  }
  static int bad_starts_below(const Node& n) {
    int sum = n.bad_starts;
    for (const Node* child : n.children) sum += bad_starts_below(*child);
    return sum;
  }

  void start_members(Node& s) {
    const int life = s.life;
    while (Node* next = waiting_member(s)) {
      if (auto kind = start(*next)) fail(*next, *kind);
      if (s.life != life) return;  // it was restarted or stopped over it
    }
    for (Node* child : s.children) child->member = false;
  }
};

constexpr Backoff constant{.min = 20ms, .max = 20ms, .jitter = 0, .attempts_max = Backoff::unbounded};

/// A random tree in a world, beside its model.
struct Forest {
  Forest(test::Seed seed, bool only_restarts)
      : random(seed.number),
        cores(1 + random.below(3)),
        lasting(only_restarts),
        w(seed, {.cores = static_cast<int>(cores),
                 .supervision = {.intensity = {.restarts = UINT32_MAX}, .backoff = constant}}) {
    top = &make(nullptr, 3);
    top->supervisor = supervise(w.system(), options(*top), [this](Children& c) { declare(c, *top); });
    w.advance(10min);
    model.start(*top);
  }

  Node& make(Node* parent, int depth) {
    auto& n = *nodes.emplace_back(std::make_unique<Node>());
    n.parent = parent;
    n.name = "n" + std::to_string(nodes.size());
    n.path = (parent != nullptr ? parent->path : "") + "/" + n.name;
    n.core = static_cast<int>(random.below(cores));
    if (parent != nullptr) n.restart = static_cast<Restart>(random.below(lasting ? 2 : 3));
    if (parent == nullptr || (depth > 0 && random.below(3) == 0)) {
      n.strategy = static_cast<Strategy>(random.below(3));
      n.limit = static_cast<std::uint32_t>(random.below(5));
      constexpr Directive gentle[] = {Directive::restart, Directive::restart_all, Directive::escalate};
      for (auto& mind : n.mind) mind = lasting ? gentle[random.below(3)] : static_cast<Directive>(random.below(5));
      for (auto count = 1 + random.below(4); count > 0; --count) n.children.push_back(&make(&n, depth - 1));
    } else {
      n.weakness = static_cast<Weakness>(random.below(3));
      n.page = std::make_shared<Page>();
      n.page->name = n.name;
      n.page->log = log;
    }
    return n;
  }

  static ActorOptions options(const Node& n) {
    ActorOptions out{.name = n.name, .core = n.core, .restart = n.restart, .shutdown = 1h};
    if (n.is_leaf()) return out;
    out.supervision = {
        .strategy = n.strategy,
        .intensity = {.restarts = n.limit, .within = 100'000h},
        .backoff = {.min = 20ms, .max = 20ms, .jitter = 0, .attempts_max = Backoff::unbounded},
        .decide = on<Kind<0>>(n.mind[0]) | on<Kind<1>>(n.mind[1]) | on<Kind<2>>(n.mind[2]) | on<Kind<3>>(n.mind[3])};
    return out;
  }

  void declare(Children& c, Node& n) {
    for (Node* child : n.children) {
      if (child->is_leaf()) {
        child->leaf = c.child<Leaf>(options(*child), child->page, child->weakness);
      } else {
        child->supervisor = c.supervise(options(*child), [&](Children& below) { declare(below, *child); });
      }
    }
  }

  /// Any that has not ended, a leaf or not; null: this time none.
  Node* pick(bool leaf) {
    std::vector<Node*> living;
    for (const auto& n : nodes) {
      if (!n->ended && n->is_leaf() == leaf && n->parent != nullptr) living.push_back(n.get());
    }
    return living.empty() ? nullptr : living[random.below(living.size())];
  }

  void mark_all() {
    for (const auto& n : nodes) {
      if (n->is_leaf() && !n->ended && random.below(2) == 0) n->leaf.tell(Mark{++n->told});
    }
  }

  /// Does one thing, to the runtime and to the model.
  void act() {
    mark_all();
    Node* leaf = pick(true);
    const auto what = random.below(20);
    if (what == 0) {
      if (Node* inner = pick(false)) {
        w.system().stop(inner->supervisor);
        model.stop(*inner);
      }
    } else if (leaf == nullptr) {
      return;
    } else if (what == 1) {
      w.system().stop(leaf->leaf);
      model.stop(*leaf);
    } else if (what < 4) {
      leaf->leaf.tell(Quit{});
      leaf->restart == Restart::permanent ? model.fail(*leaf, gave_up) : model.stop(*leaf);
    } else if (what < 8) {
      leaf->bad_starts = leaf->page->bad_starts = 1 + static_cast<int>(random.below(2));
      leaf->page->bad_kind = static_cast<int>(random.below(kinds));
    } else {
      const int kind = static_cast<int>(random.below(kinds));
      leaf->leaf.tell(Break{kind});
      model.fail(*leaf, kind);
    }
    mark_all();
  }

  base::SeededRandom random;
  std::uint64_t cores;
  bool lasting;  // nobody is stopped for good
  std::shared_ptr<Lines> log = std::make_shared<Lines>();
  test::World w;
  std::vector<std::unique_ptr<Node>> nodes;
  Node* top = nullptr;
  Model model;
};

/// What the runtime did since the last look is what the model expected.
void compare_log(Forest& f) {
  Lines did = std::exchange(*f.log, {});
  Lines expected = std::exchange(f.model.expected, {});
  if (std::exchange(f.model.overlaps, false)) {
    std::sort(did.begin(), did.end());
    std::sort(expected.begin(), expected.end());
  }
  const auto line = [](const Lines& lines) {
    std::string out;
    for (const auto& each : lines) out += each + " ";
    return out;
  };
  CHECK_EQ(line(did), line(expected));
}

void compare_actors(Forest& f) {
  std::map<std::string, std::uint32_t> restarts;
  for (const auto& actor : f.w.block_on(f.w.system().inspect())) restarts[actor.path] = actor.restarts;
  for (const auto& n : f.nodes) {
    CAPTURE(n->path);
    CHECK_EQ(restarts.contains(n->path), !n->ended);
    if (!n->ended) CHECK_EQ(restarts[n->path], n->restarts);
    if (!n->is_leaf()) continue;
    const auto answer = f.w.block_on(n->leaf.ask(Count{}));
    CHECK_EQ(answer.has_value(), !n->ended);
    if (!answer) CHECK_EQ(answer.error().outcome, Outcome::not_executed);
    if (answer) CHECK_EQ(*answer, ++n->count);
    if (!n->ended) CHECK_EQ(n->page->marks, n->told);
    CHECK_EQ(n->page->bad_starts, n->bad_starts);
  }
}

}  // namespace

TEST_CASE("random trees of supervisors do what the model does: who runs, who restarted, in which order") {
  int exact = 0;
  int steps = 0;
  test::explore(
      {.schedules = 300},
      [&](test::Seed seed) {
        std::vector<Paper> papers;
        {
          Forest f{seed, false};
          for (const auto& n : f.nodes) {
            if (n->is_leaf()) papers.push_back(n->page);
          }
          compare_log(f);
          for (int step = 0; step < 12 && !f.model.unknown; ++step) {
            CAPTURE(step);
            f.act();
            f.w.advance(1s);
            if (f.model.unknown) break;
            compare_log(f);
            compare_actors(f);
            ++steps;
          }
          if (!f.model.unknown) {
            f.model.stop(*f.top);
            f.w.shutdown();
            compare_log(f);
            ++exact;
          }
        }
        for (const auto& page : papers) {
          CHECK_EQ(page->objects, 0);
          CHECK_LE(page->objects_max, 1);
          CHECK_FALSE(page->out_of_order);
        }
      },
      [&] {
        CHECK_GE(exact, 500);
        CHECK_GE(steps, 5000);
      });
}

TEST_CASE("in a storm of faults nobody who is to last is lost: references, queues and order survive") {
  test::explore({.schedules = 150}, [&](test::Seed seed) {
    std::vector<Paper> papers;
    {
      Forest f{seed, true};
      for (int round = 0; round < 12; ++round) {
        for (auto shots = f.random.below(6); shots > 0; --shots) {
          Node* leaf = f.pick(true);
          f.mark_all();
          if (f.random.below(4) == 0) {
            leaf->page->bad_starts = 1 + static_cast<int>(f.random.below(3));
            leaf->page->bad_kind = static_cast<int>(f.random.below(kinds));
          }
          leaf->leaf.tell(Break{static_cast<int>(f.random.below(kinds))});
        }
        f.mark_all();
        if (seed.number % 4 != 0) f.w.advance(Duration{static_cast<std::int64_t>(f.random.below(60'000'000))});
      }
      for (const auto& n : f.nodes) {
        if (n->is_leaf()) papers.push_back(n->page);
      }
      if (seed.number % 5 != 0) {  // every fifth ends in the middle of it
        f.w.advance(10min);
        for (const auto& n : f.nodes) {
          CAPTURE(n->path);
          if (!n->is_leaf()) continue;
          CHECK(f.w.block_on(n->leaf.ask(Count{})).has_value());
          CHECK_EQ(n->page->marks, n->told);
          CHECK_EQ(n->page->objects, 1);
        }
        CHECK_FALSE(f.w.system().failed());
      }
    }
    for (const auto& page : papers) {
      CHECK_EQ(page->objects, 0);
      CHECK_LE(page->objects_max, 1);
      CHECK_FALSE(page->out_of_order);
    }
  });
}
