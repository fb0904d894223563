// Who watches handles the news.
// expect: who_watches_handles_terminated<Watcher>
#include "troupe/actor/actor.h"

struct Watched {};
struct Look {};
struct Watcher {
  void handle(Look, troupe::actor::Context& ctx) { ctx.watch(this, watched); }
  troupe::actor::Ref<Watched> watched;
};

void tell(troupe::actor::Ref<Watcher> watcher) { watcher.tell(Look{}); }
