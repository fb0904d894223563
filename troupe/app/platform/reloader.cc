// See reloader.h.
#include "troupe/app/platform/reloader.h"

#include "troupe/app/config/reload.h"
#include "troupe/base/log.h"

namespace troupe::app {
namespace {

void refuse(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) {
    base::log::error("app", "the configuration is wrong", {{"where", problem.where}, {"what", problem.what}});
  }
  base::log::error("app", "the configuration stays as it was", {{"problems", problems.size()}});
}

}  // namespace

void Reloader::reload() {
  const auto wanted = reread_();
  if (!wanted) return refuse(wanted.error());
  auto reloaded = app::reload(config_, *wanted);
  if (!reloaded) return refuse(reloaded.error());
  config_ = std::move(reloaded->config);
  use_(config_);
  for (const auto& name : reloaded->changed) base::log::info("app", "configuration changed", {{"key", name}});
  for (const auto& name : reloaded->waiting) {
    base::log::warning("app", "a change of the configuration waits for the next start", {{"key", name}});
  }
  base::log::info("app", "configuration read again", {{"changed", reloaded->changed.size()}});
}

}  // namespace troupe::app
