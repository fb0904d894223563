// A mailbox against a model: whatever comes, from its own core and from another, under every policy, with every
// class, priority and weight, with waits, restarts and stops in between.
#include <doctest/doctest.h>

#include <map>

#include "troupe/actor/runtime/credits.h"
#include "troupe/actor/sim/explore.h"

using namespace troupe::actor;
namespace base = troupe::base;
using namespace std::chrono_literals;

namespace {

/// What the whole run writes down, under one thread.
struct Records {
  std::map<int, int> handled;  // by message: how often
  std::vector<int> order;      // in which they were handled
  std::map<int, int> ended;    // by message: how often it was destroyed
  std::map<int, Sent> told;
  std::map<int, int> outcomes;                // by ask
  std::map<int, Outcome> failed;              // by ask
  std::map<std::array<int, 3>, int> last_in;  // by sender and lane: the newest number handled
  int made = 0;
  int controls = 0;  // that live
  int out_of_order = 0;
  int bounds_passed = 0;
  bool faults = false;
};
using Book = std::shared_ptr<Records>;

/// Makes sure that each message ends once.
class Token {
 public:
  Token(Book book, bool control) : book_(std::move(book)), id_(++book_->made), control_(control) {
    if (control_) ++book_->controls;
  }
  Token(Token&& other) noexcept : book_(std::move(other.book_)), id_(other.id_), control_(other.control_) {}
  Token& operator=(Token&&) = delete;
  ~Token() {
    if (!book_) return;
    ++book_->ended[id_];
    if (control_) --book_->controls;
  }
  int id() const noexcept { return id_; }

 private:
  Book book_;
  int id_;
  bool control_;
};

struct Label {
  int sender = 0;
  int number = 0;  // rises with each message of the sender
  Priority grade = Priority::normal;
  std::size_t weight = 0;
};

template <MessageClass its_class>
struct Item {
  static constexpr auto message_class = its_class;
  Label label;
  Token token;
  Priority priority() const { return label.grade; }
  std::size_t bytes() const { return label.weight; }
};
using Normal = Item<MessageClass::normal>;
using Shed = Item<MessageClass::sheddable>;
using Must = Item<MessageClass::control>;
struct Query {
  Label label;
  Token token;
  using reply = int;
  Priority priority() const { return label.grade; }
  std::size_t bytes() const { return label.weight; }
};
struct Hold {
  Duration length;
  Token token;
};

struct Box {
  Box(Book its_book, MailboxOptions its_options) : book(std::move(its_book)), options(its_options) {}

  template <class M>
  void note(const M& m, int lane, Context& ctx) {
    ++book->handled[m.token.id()];
    book->order.push_back(m.token.id());
    int& last = book->last_in[{m.label.sender, lane, options.priorities ? static_cast<int>(m.label.grade) : 0}];
    if (m.label.number <= last) ++book->out_of_order;
    last = m.label.number;
    check(ctx.address());
    if (book->faults && ctx.random().below(40) == 0) throw std::runtime_error("a bad message");
  }
  void check(Address self) {
    const Cell& cell = *self.cell;
    if (!cell.is(self.generation)) return;
    const auto controls = static_cast<std::uint32_t>(book->controls);
    if (cell.depth + cell.lent > options.capacity + controls) ++book->bounds_passed;
    if (options.bytes_max == 0 || controls > 0) return;
    const auto& ledger = *cell.extras->ledger;
    const std::size_t lent = ledger.credit_unit > 0 ? cell.lent * credits::unit_bytes(ledger.credit_unit) : 0;
    if (ledger.bytes + lent > options.bytes_max) ++book->bounds_passed;
  }
  void handle(Normal m, Context& ctx) { note(m, 0, ctx); }
  void handle(Shed m, Context& ctx) { note(m, 0, ctx); }
  void handle(Must m, Context& ctx) { note(m, 1, ctx); }
  int handle(Query m, Context& ctx) {
    note(m, 0, ctx);
    return m.token.id();
  }
  Task<void> handle(Hold m) {
    ++book->handled[m.token.id()];
    co_await sleep(m.length);
  }

  Book book;
  MailboxOptions options;
};

struct Act {
  std::uint32_t steps;
};

struct Sender {
  static constexpr bool interleaves = true;
  Sender(Ref<Box> its_box, Book its_book, int its_number, MailboxOptions its_options)
      : box(its_box), book(std::move(its_book)), number(its_number), options(its_options) {}

  Label label(base::Random& random) {
    return {number, ++sent, static_cast<Priority>(random.below(3)), random.below(40)};
  }
  template <class M>
  void tell(base::Random& random) {
    M message{label(random), Token{book, M::message_class == MessageClass::control}};
    const int id = message.token.id();
    book->told[id] = box.tell(std::move(message));
  }
  Task<void> handle(Act m, Context& ctx) {
    base::Random& random = ctx.random();
    for (std::uint32_t i = 0; i < m.steps; ++i) {
      switch (random.below(10)) {
        case 0: {
          Query query{label(random), Token{book, false}};
          const int id = query.token.id();
          auto answer = co_await box.ask(std::move(query), {.within = 1ms * static_cast<int>(1 + random.below(60))});
          ++book->outcomes[id];
          if (!answer) book->failed[id] = answer.error().outcome;
          break;
        }
        case 1: {
          Normal message{label(random), Token{book, false}};
          const int id = message.token.id();
          auto result = co_await box.send(std::move(message));
          book->told[id] = result;
          break;
        }
        case 2:
          tell<Shed>(random);
          break;
        case 3:
          if (options.capacity % 2 == 0) tell<Must>(random);
          break;
        case 4:
          box.tell(Hold{1ms * static_cast<int>(random.below(8)), Token{book, false}});
          break;
        default:
          tell<Normal>(random);
      }
      Box{book, options}.check(box.address());
    }
  }
  Ref<Box> box;
  Book book;
  int number;
  MailboxOptions options;
  int sent = 0;
};

MailboxOptions any_mailbox(base::Random& random) {
  return {.capacity = 1 + static_cast<std::uint32_t>(random.below(9)),
          .overflow = static_cast<Overflow>(random.below(4)),
          .block_for = 20ms,
          .bytes_max = random.below(2) == 0 ? 0 : 40 + random.below(300),
          .priorities = random.below(2) == 0};
}

std::uint64_t all_dropped(Host& host) {
  std::uint64_t sum = 0;
  for (const auto& figures : figures_of(host)) {
    if (figures.type != "Box") continue;
    for (const auto n : figures.dropped) sum += n;
  }
  return sum;
}

}  // namespace

TEST_CASE("each message is handled or dropped and counted once, each ask has one outcome, and no bound is passed") {
  test::explore({.schedules = 120}, [&](test::Seed seed) {
    Book book = std::make_shared<Records>();
    book->faults = true;
    base::SeededRandom random{seed.number * 977};
    const MailboxOptions options = any_mailbox(random);
    const bool stops = seed.number % 4 == 0;
    {
      test::World w{seed, {.cores = 2, .supervision = {.intensity = {.restarts = 100'000}, .backoff = {.min = 1ms}}}};
      auto box = w.spawn<Box>({.core = 0, .mailbox = options}, book, options);
      std::vector<Ref<Sender>> senders;
      for (int i = 0; i < 4; ++i) senders.push_back(w.spawn<Sender>({.core = i % 2}, box, book, i, options));
      w.run_until_idle();
      const std::uint64_t before = all_dropped(w.system());
      for (int round = 0; round < 12; ++round) {
        for (auto sender : senders) sender.tell(Act{1 + static_cast<std::uint32_t>(random.below(12))});
        w.advance(1ms * static_cast<int>(random.below(15)));
        if (stops && round == 8) lifecycle::request_stop(nullptr, box.address());
      }
      w.advance(1min);
      std::uint64_t unhandled = 0;
      for (int id = 1; id <= book->made; ++id) {
        CHECK_EQ(book->ended[id], 1);
        CHECK_LE(book->handled[id], 1);
        if (book->handled[id] == 0) ++unhandled;
      }
      CHECK_EQ(all_dropped(w.system()) - before, unhandled);
      if (!stops) {
        const Cell& cell = *box.address().cell;
        CHECK_EQ(cell.depth, 0);
        CHECK_EQ(cell.lent, cell.generation.offered());  // whoever had credits has spent or returned them
      }
    }
    CHECK_EQ(book->out_of_order, 0);
    CHECK_EQ(book->bounds_passed, 0);
    for (const auto& [id, times] : book->outcomes) CHECK_EQ(times, 1);
    for (const auto& [id, outcome] : book->failed) {
      if (outcome == Outcome::not_executed) CHECK_EQ(book->handled[id], 0);
    }
    if (options.overflow != Overflow::backpressure || stops) return;
    for (const auto& [id, result] : book->told) CHECK_EQ(book->handled[id], result == Sent::sent ? 1 : 0);
  });
}

namespace {

struct Put {
  int n;
  MessageClass kind;
  Priority grade;
  std::size_t weight;
};
struct Load {
  std::vector<Put> puts;
  using reply = std::vector<Sent>;
};
struct Loader {
  Loader(Ref<Box> its_box, Book its_book) : box(its_box), book(std::move(its_book)) {}
  std::vector<Sent> handle(Load m) {
    std::vector<Sent> out;
    for (const Put& put : m.puts) {
      const Label label{0, put.n, put.grade, put.weight};
      const bool shed = put.kind == MessageClass::sheddable;
      out.push_back(shed ? box.tell(Shed{label, Token{book, false}}) : box.tell(Normal{label, Token{book, false}}));
    }
    return out;
  }
  Ref<Box> box;
  Book book;
};

/// What a mailbox ought to be.
struct Model {
  MailboxOptions options;
  std::vector<Put> queue{};

  std::size_t weight() const {
    std::size_t sum = 0;
    for (const Put& put : queue) sum += put.weight;
    return sum;
  }
  bool fits(const Put& put) const {
    return queue.size() < options.capacity && (options.bytes_max == 0 || weight() + put.weight <= options.bytes_max);
  }
  Sent put(const Put& put) {
    if (options.bytes_max > 0 && put.weight > options.bytes_max) return Sent::full;
    if (!fits(put) && options.overflow != Overflow::drop_oldest) return Sent::full;
    while (!fits(put)) {
      queue.erase(std::min_element(queue.begin(), queue.end(), [this](const Put& a, const Put& b) {
        if (a.kind != b.kind) return a.kind == MessageClass::sheddable;
        return options.priorities && a.grade < b.grade;
      }));
    }
    queue.push_back(put);
    return Sent::sent;
  }
  std::vector<int> order() {
    // The numbers rise, so they break ties.
    std::sort(queue.begin(), queue.end(), [this](const Put& a, const Put& b) {
      return options.priorities && a.grade != b.grade ? a.grade > b.grade : a.n < b.n;
    });
    std::vector<int> out;
    for (const Put& put : std::exchange(queue, {})) out.push_back(put.n);
    return out;
  }
};

}  // namespace

TEST_CASE("on one core a mailbox keeps, evicts, refuses and orders exactly as the model does") {
  test::explore({.schedules = 300}, [&](test::Seed seed) {
    base::SeededRandom random{seed.number};
    Model model{any_mailbox(random)};
    if (model.options.overflow == Overflow::block) model.options.overflow = Overflow::drop_oldest;
    Book book = std::make_shared<Records>();
    test::World w{seed, {.cores = static_cast<int>(1 + seed.number % 2)}};
    auto box = w.spawn<Box>({.core = 0, .mailbox = model.options}, book, model.options);
    auto loader = w.spawn<Loader>({.core = 0}, box, book);
    w.run_until_idle();
    for (int round = 0; round < 3; ++round) {
      box.tell(Hold{10ms, Token{book, false}});
      w.run_until_idle();
      Load load;
      std::vector<Sent> expected;
      for (std::uint64_t i = random.below(25); i > 0; --i) {
        load.puts.push_back({book->made + static_cast<int>(load.puts.size()) + 1,
                             random.below(3) == 0 ? MessageClass::sheddable : MessageClass::normal,
                             static_cast<Priority>(random.below(3)), random.below(60)});
        expected.push_back(model.put(load.puts.back()));
      }
      CHECK(w.block_on(loader.ask(load)).value() == expected);
      const std::vector<int> kept = model.order();
      book->order.clear();
      w.advance(1min);
      CHECK_EQ(book->order, kept);
    }
    CHECK_EQ(book->out_of_order, 0);  // of each priority
  });
}
