// See key_maker.h.
#include "troupe/oauth/actor/key_maker.h"

namespace troupe::oauth {

actor::Task<std::vector<SigningKeyRecord>> keys_for(std::vector<KeyOrder> orders, base::UnixTime now,
                                                    KeyOptions options) {
  co_return co_await actor::blocking([orders = std::move(orders), now, options = std::move(options)] {
    std::vector<SigningKeyRecord> made;
    for (const KeyOrder& order : orders) made.push_back(make_key(order, now, options));
    return made;
  });
}

actor::Task<void> KeyMaker::handle(MakeKeys message) {
  auto made = co_await keys_for(std::move(message.orders), message.now, std::move(message.options));
  message.by.tell(KeysMade{std::move(made)});
}

}  // namespace troupe::oauth
