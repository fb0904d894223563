// See admin_work.h for the frame.
#include "troupe/app/command/admin_work.h"

#include <fmt/chrono.h>

#include "troupe/app/config/key_seals.h"

namespace troupe::app {

AdminWork::AdminWork(Config config)
    : config_(std::move(config)),
      now_(base::system_clock().wall()),
      random_(base::secure_random()),
      seals_(key_seals_of(config_).value()),  // load_config() has refused a configuration that has none
      store_(open_store(config_)) {}

oauth::AuditEvent AdminWork::event(std::string_view kind) {
  return {.id = ids_.next(now_, *random_), .kind = std::string{kind}, .done_by = "command line"};
}

void choose_judged(Invocation& invocation, std::function<Exit(AdminWork&)> work) {
  invocation.chosen = [&invocation, work = std::move(work)] {
    auto config = load_config(invocation);
    if (!config) return Exit::usage;
    AdminWork admin{*std::move(config)};
    return work(admin);
  };
}

void choose(Invocation& invocation, std::function<void(AdminWork&)> work) {
  choose_judged(invocation, [work = std::move(work)](AdminWork& admin) {
    work(admin);
    return Exit::success;
  });
}

std::string moment_text(base::UnixTime time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(time.seconds())));
}

}  // namespace troupe::app
