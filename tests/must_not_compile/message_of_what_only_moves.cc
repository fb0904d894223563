// A container of what only moves claims to be copyable, and is not: the line that the compiler shows says what to do.
// expect: error:
// shows: a member only moves? Say `static constexpr bool copyable = false;` in the message
#include <memory>
#include <vector>

#include "troupe/actor/actor.h"

struct Parcels {
  std::vector<std::unique_ptr<int>> all;
};
struct Post {
  void handle(Parcels) {}
};

void tell(troupe::actor::Ref<Post> post) { post.tell(Parcels{}); }
