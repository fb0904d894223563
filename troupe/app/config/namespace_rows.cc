// The rows of what may differ by namespace. Each is a key of [realtime], which holds where no
// namespace says otherwise, and one of [realtime.namespace.NAME].
#include "troupe/app/config/namespace_rows.h"

#include "troupe/app/config/row.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using namespace realtime;  // the words of the options
using base::Duration;
constexpr std::size_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;
constexpr std::chrono::hours day{24};

// The place of a value, for add().
#define AT(member) [](NamespaceConfig& config) -> auto& { return config.member; }

std::vector<NamespaceKey> all_keys() {
  using namespace codec;
  std::vector<NamespaceKey> all;
  auto add = [&]<class T>(std::string_view name, std::string_view help, const Codec<T>& codec,
                          PlaceOf<NamespaceConfig, T> place) {
    all.push_back(row(name, help, codec, place, Reload::live));
  };
  add("default_scopes", "What everybody who is let in may do.", text("scopes, separated by spaces"),
      AT(default_scopes));
  add("anonymous_scopes", "What a client without a token may do besides; if there are none at all, it is not let in.",
      text("scopes, separated by spaces"), AT(anonymous_scopes));
  add("history_messages_max", "Messages kept of each topic.", count(0, 1'000'000), AT(options.history.count_max));
  add("history_bytes_max", "Bytes kept of each topic.", bytes(0, GiB), AT(options.history.bytes_max));
  add("history_age_max", "How long a message is kept.", duration<Duration>(0s, 365 * day), AT(options.history.age_max));
  all.push_back(row<NamespaceConfig>(
      "history_durability",
      "Where what is kept lies: on the disk it outlives the process, and a message is there before anybody gets it.",
      choice<Durability>({{"memory", Durability::memory}, {"disk", Durability::disk}}), AT(options.durability),
      Reload::restart));
  add("payload_bytes_max", "The largest payload of a publication; a larger one is refused with too_large.",
      bytes(1, 64 * MiB), AT(options.payload_bytes_max));
  add("overflow", "What becomes of a slow reader's messages if its subscription says nothing.",
      choice<Overflow>({{"drop_oldest", Overflow::drop_oldest},
                        {"drop_newest", Overflow::drop_newest},
                        {"latest", Overflow::latest},
                        {"disconnect", Overflow::disconnect},
                        {"spill", Overflow::spill},
                        {"block", Overflow::block},
                        {"backpressure", Overflow::backpressure}}),
      AT(options.overflow));
  add("overflow_choice", "Whether a subscription may ask for another overflow policy.",
      choice<OverflowChoice>({{"client", OverflowChoice::client}, {"server", OverflowChoice::server}}),
      AT(options.overflow_choice));
  add("block_time", "How long, under block, a publisher's ack waits for a slow reader; then that one is told a gap.",
      duration<Duration>(0s, 1min), AT(options.block_time));
  add("presence", "Whether clients may ask who is in a topic, and hear who comes and goes.",
      choice<Presence>({{"on", Presence::on}, {"off", Presence::off}}), AT(options.presence));
  return all;
}

#undef AT

}  // namespace

std::span<const NamespaceKey> namespace_keys() {
  static const std::vector<NamespaceKey> all = all_keys();
  return all;
}

Key as_default(const NamespaceKey& key) {
  return {"realtime." + key.name,
          key.form,
          key.kind,
          key.help,
          [&key](Config& config, const Given& given) { return key.set(config.realtime.defaults, given); },
          [&key](const Config& config) { return key.show(config.realtime.defaults); },
          [&key](Config& config, const Config& from) { key.copy(config.realtime.defaults, from.realtime.defaults); },
          key.reload};
}

}  // namespace troupe::app
