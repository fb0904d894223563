// Generators for the property tests of this wing: names and patterns from an alphabet so
// small that they often meet. Test code only; nothing but tests includes it.
#pragma once

#include <rapidcheck.h>

#include <string>

#include "troupe/base/topic_name.h"

namespace troupe::base::testing {

inline rc::Gen<std::string> dotted(std::vector<std::string> segments) {
  auto segment = rc::gen::elementOf(std::move(segments));
  return rc::gen::map(
      rc::gen::mapcat(rc::gen::inRange(1, 5),
                      [segment](int count) { return rc::gen::container<std::vector<std::string>>(count, segment); }),
      [](const std::vector<std::string>& parts) {
        std::string text;
        for (const auto& part : parts) text += (text.empty() ? "" : ".") + part;
        return text;
      });
}

inline rc::Gen<TopicName> name() {
  return rc::gen::map(dotted({"a", "b", "c", "system", "$user"}),
                      [](const std::string& text) { return TopicName::parse(text).value(); });
}

inline rc::Gen<TopicPattern> pattern() {
  return rc::gen::map(dotted({"a", "b", "*", "*", ">", "system", "$user"}), [](std::string text) {
    if (auto end = text.find('>'); end != std::string::npos) text.resize(end + 1);
    return TopicPattern::parse(text).value();
  });
}

}  // namespace troupe::base::testing
