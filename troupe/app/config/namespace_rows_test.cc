// The keys of a namespace: each sets one value, there or among the defaults.
#include "troupe/app/config/namespace_rows.h"

#include <doctest/doctest.h>

#include <map>
#include <string_view>

using namespace troupe::app;

namespace {

// A value of each key that is not its default, as a flag gives it and as it is shown.
struct Other {
  std::string_view text;
  std::string_view shown;
};
const std::map<std::string_view, Other> others{
    {"default_scopes", {"topic:a:subscribe", "\"topic:a:subscribe\""}},
    {"anonymous_scopes", {"topic:b:subscribe", "\"topic:b:subscribe\""}},
    {"history_messages_max", {"7", "7"}},
    {"history_bytes_max", {"7KiB", "\"7KiB\""}},
    {"history_age_max", {"7s", "\"7s\""}},
    {"payload_bytes_max", {"9KiB", "\"9KiB\""}},
    {"overflow", {"latest", "\"latest\""}},
    {"overflow_choice", {"server", "\"server\""}},
    {"block_time", {"7s", "\"7s\""}},
    {"presence", {"off", "\"off\""}},
    {"history_durability", {"disk", "\"disk\""}},
};

Given given(const NamespaceKey& key) {
  const auto value = read_text(key.form, others.at(key.name).text);
  REQUIRE(value.has_value());
  return *value;
}

}  // namespace

TEST_CASE("each key of a namespace sets what it shows and nothing else, and copies it to another") {
  CHECK_EQ(namespace_keys().size(), others.size());
  for (const NamespaceKey& key : namespace_keys()) {
    CAPTURE(key.name);
    const NamespaceConfig defaults;
    NamespaceConfig changed, copied;
    CHECK_FALSE(key.set(changed, given(key)).has_value());
    key.copy(copied, changed);
    for (const NamespaceKey& one : namespace_keys()) {
      const auto expected = one.name == key.name ? std::string{others.at(key.name).shown} : one.show(defaults);
      CHECK_EQ(one.show(changed), expected);
      CHECK_EQ(one.show(copied), expected);
    }
    CHECK_NE(key.show(changed), key.show(defaults));
    // A journal is opened at the start or not at all.
    CHECK(key.reload == (key.name == "history_durability" ? Reload::restart : Reload::live));
  }
}

TEST_CASE("as a key of [realtime] it sets the defaults, and no namespace that there is") {
  for (const NamespaceKey& key : namespace_keys()) {
    CAPTURE(key.name);
    const Key here = as_default(key);
    CHECK_EQ(here.name, "realtime." + key.name);
    Config config, copied;
    const auto& chat = config.realtime.namespaces["chat"];
    CHECK_FALSE(here.set(config, given(key)).has_value());
    CHECK_EQ(here.show(config), others.at(key.name).shown);
    CHECK_EQ(key.show(config.realtime.defaults), others.at(key.name).shown);
    CHECK_EQ(key.show(chat), key.show(NamespaceConfig{}));
    here.copy(copied, config);
    CHECK_EQ(here.show(copied), here.show(config));
  }
}
