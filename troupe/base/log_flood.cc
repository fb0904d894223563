// The windows of FloodGate: one for each kind, begun by its first line.
#include "troupe/base/log_flood.h"

#include <utility>

namespace troupe::base::log {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string name_of(Level level, std::string_view component, std::string_view message) {
  std::string name{component};
  name += static_cast<char>('0' + static_cast<int>(level));
  for (const char c : message) {
    if (!is_digit(c)) name += c;
  }
  return name;
}

}  // namespace

bool FloodGate::admits(Level level, std::string_view component, std::string_view message, Instant now) {
  if (level < Level::warning) return true;
  Kind& kind = kind_of(level, component, message, now);
  if (now - kind.since >= window) {
    kind.since = now;
    kind.written = 0;
  }
  if (kind.written < lines_max) {
    ++kind.written;
    return true;
  }
  kind.left_out = {level, std::string{component}, std::string{message}, kind.left_out.lines + 1};
  return false;
}

std::vector<FloodGate::LeftOut> FloodGate::take_left_out(Instant now) {
  std::vector<LeftOut> all;
  for (auto& [name, kind] : kinds_) {
    if (kind.left_out.lines > 0 && now - kind.since >= window) all.push_back(std::exchange(kind.left_out, {}));
  }
  return all;
}

// What was silent for a whole window and owes no line is forgotten when the room is needed.
FloodGate::Kind& FloodGate::kind_of(Level level, std::string_view component, std::string_view message, Instant now) {
  std::string name = name_of(level, component, message);
  if (const auto found = kinds_.find(name); found != kinds_.end()) return found->second;
  if (kinds_.size() >= kinds_max) {
    std::erase_if(
        kinds_, [&](const auto& each) { return each.second.left_out.lines == 0 && now - each.second.since >= window; });
  }
  if (kinds_.size() >= kinds_max) name.clear();
  return kinds_.try_emplace(std::move(name), Kind{.since = now}).first->second;
}

}  // namespace troupe::base::log
