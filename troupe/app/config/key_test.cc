// What holds for every row of the configuration.
#include "troupe/app/config/key.h"

#include <doctest/doctest.h>

#include <set>

#include "troupe/app/config/toml.h"

using namespace troupe::app;

TEST_CASE("every key has a name of its own, a help that is a sentence, and a variable of its own") {
  std::set<std::string> names, variables;
  for (const Key& key : keys()) {
    CAPTURE(key.name);
    CHECK(names.insert(key.name).second);
    CHECK(variables.insert(variable_of(key)).second);
    CHECK(key.help.ends_with('.'));
    CHECK_FALSE(key.kind.empty());
  }
}

TEST_CASE("every default, as a file has it, is taken by its own key and stays the same") {
  for (const Config& config : {Config{}, development_defaults()}) {
    for (const Key& key : keys()) {
      const auto text = key.show(config);
      CAPTURE(key.name);
      CAPTURE(text);
      const auto values = read_toml(key.name + " = " + text);
      REQUIRE(values.has_value());
      REQUIRE_EQ(values->size(), 1);
      Config read;
      CHECK_FALSE(key.set(read, *values->front().value).has_value());
      CHECK_EQ(key.show(read), text);
    }
  }
}

TEST_CASE("every key complains about a value of another form, and keeps what it had") {
  for (const Key& key : keys()) {
    CAPTURE(key.name);
    Config config;
    const auto before = key.show(config);
    const Given wrong = key.form == Form::truth ? Given{std::int64_t{1}} : Given{true};
    CHECK(key.set(config, wrong).has_value());
    CHECK_EQ(key.show(config), before);
  }
}

TEST_CASE("the variable of a key is its name in capitals") {
  CHECK_EQ(variable_of(*find_key("realtime.frame_bytes_max")), "TROUPE_REALTIME_FRAME_BYTES_MAX");
  CHECK_EQ(variable_of(*find_key("development")), "TROUPE_DEVELOPMENT");
}

TEST_CASE("a mistyped name is close to the right one, a strange one to none") {
  CHECK_EQ(similar_key("realtime.ecoh"), "realtime.echo");
  CHECK_EQ(similar_key("realtime.frame_byte_max"), "realtime.frame_bytes_max");
  CHECK_EQ(similar_key("kitchen.sink"), std::nullopt);
}
