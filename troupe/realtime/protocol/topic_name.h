// Topic names of this wing: those of base/topic_name.h, and where a topic lives.
#pragma once

#include <cstddef>
#include <string_view>

#include "troupe/base/topic_name.h"

namespace troupe::realtime {

using base::is_reserved_topic;
using base::take_segment;
using base::topic_bytes_max;
using base::topic_segments_max;
using base::TopicError;
using base::TopicName;
using base::TopicPattern;

/// Which of `count` shards (at least one) is the home of a topic: the same on every core and in every run.
std::size_t home_of(std::string_view topic, std::size_t count) noexcept;

}  // namespace troupe::realtime
