// See serve.h. Signals are waited for in this thread (signals.h); the cores report back by a signal as well.
#include "troupe/app/platform/serve.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <system_error>

#include "troupe/app/command/open_store.h"
#include "troupe/app/config/check.h"
#include "troupe/app/platform/capacity.h"
#include "troupe/app/platform/data_lock.h"
#include "troupe/app/platform/demo_people.h"
#include "troupe/app/platform/options.h"
#include "troupe/app/platform/platform.h"
#include "troupe/app/platform/signals.h"
#include "troupe/base/log.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr int gone_signal = SIGUSR1;    // a core says: all phases of the shutdown are over
constexpr int failed_signal = SIGUSR2;  // the system says: it cannot go on
constexpr auto late = 5s;               // a core that is held up may be, before it is not waited for

/// Goes through the phases of the shutdown; each further signal hurries them. It is too late to reload.
void go_away(const Shutdown& shutdown, const Signals& signals) {
  shutdown.begin([] { send_to_main(gone_signal); });
  auto within = shutdown.longest() + late;
  auto signal = signals.wait(within);
  while (signal == SIGTERM || signal == SIGINT || signal == SIGHUP) {
    if (signal == SIGHUP) {
      base::log::warning("app", "the configuration is not read again: the server is going away");
    } else {
      base::log::info("app", "hurrying");
      shutdown.hurry();
      within = shutdown.longest_hurried() + late;
    }
    signal = signals.wait(within);
  }
}

/// Reads again what there is to read; gives whether there is anything. The certificate is looked at whatever becomes of
/// the configuration, which may name other files for it.
bool reload(Platform& platform, Reloader& reloader) {
  if (reloader.can_reload()) reloader.reload();
  if (platform.speaks_tls()) platform.reload_certificate();
  return reloader.can_reload() || platform.speaks_tls();
}

/// Waits for a signal that is about the end; the others on the way are answered.
int wait_for_end(Platform& platform, Reloader& reloader, const Signals& signals) {
  int signal = signals.wait();
  while (signal == SIGHUP && reload(platform, reloader)) signal = signals.wait();
  return signal;
}

/// All is saved and said by now. What may be left is a thread that makes the hash of a password for nobody any more, in
/// the time that others leave it: on a busy machine that is none, and the process is not kept by it.
void end_without_waiting_long(Exit exit) {
  constexpr unsigned seconds = 3;
  static volatile std::sig_atomic_t code;
  code = static_cast<int>(exit);
  std::signal(SIGALRM, [](int) { ::_exit(code); });
  ::alarm(seconds);
}

/// Waits for the end and brings it about, in order.
Exit run(Platform& platform, Reloader& reloader, const Signals& signals) {
  platform.on_failure([] { send_to_main(failed_signal); });
  const int first = wait_for_end(platform, reloader, signals);
  if (first != failed_signal) {
    base::log::info("app", "draining", {{"over_ms", reloader.config().realtime.drain_time / 1ms}});
    go_away(platform.going_away(), signals);
  }
  const bool well = platform.shutdown();
  base::log::info("app", well ? "stopped" : "stopped after a failure");
  base::log::flush();
  const Exit exit = well ? Exit::success : Exit::failure;
  end_without_waiting_long(exit);
  return exit;
}

std::string refusal(const std::system_error& error, const Config& config) {
  const std::string address = config.server.listen.text();
  if (error.code() == std::errc::address_in_use) {
    return fmt::format("the address {} is in use by another process; --listen takes another one", address);
  }
  return fmt::format("cannot listen on {}: {}", address, error.code().message());
}

/// Has large blocks of memory given back when they are freed. Otherwise, after the first hash of a password, glibc
/// keeps the 19 MiB of each hashing thread for good.
void give_back_large_blocks() {
  constexpr int large = 8 * 1024 * 1024;
  (void)mallopt(M_MMAP_THRESHOLD, large);
}

/// It may wait for who holds the database, and for one that does not answer.
ServerStore store_for(const Config& config) {
  const EndsAtOnce if_told;
  return prepare_store(config);
}

/// A server serves also where nobody can be told that it does, and ends as well as any other.
void tell_ready(const Config& config, bool has_demo, Console& console) {
  console.out(fmt::format("listening on {}\n", config.server.origin()));
  if (has_demo) console.out(demo_instructions(config));
  if (!console.take_failure()) return;
  base::log::warning("app", "nobody is told that the server listens: standard output cannot be written",
                     {{"origin", config.server.origin()}});
}

}  // namespace

Exit serve(Config config, Console& console, Reread reread) {
  give_back_large_blocks();
  const Config as_read = config;
  const Signals signals{SIGTERM, SIGINT, SIGHUP, gone_signal, failed_signal};
  std::optional<net::PortReservation> port;
  try {
    port.emplace(config.server.listen);
  } catch (const std::system_error& error) {
    console.err(fmt::format("troupe: {}\n", refusal(error, config)));
    return Exit::failure;
  }
  config.server.listen = port->address();
  complete(config);
  auto log = config.log;
  log.in_background = true;
  base::log::configure(log);

  const Machine machine = claim_machine();
  refuse_too_few_files(machine);
  ServerStore store = store_for(config);
  const DataLock lock{config.server.data_dir};
  std::optional<DemoClient> demo;
  if (config.development) demo = prepare_demo(config);
  Platform platform{config, std::move(store), *port, demo};
  tell_capacity(machine, realtime_options(config), platform.core_count());
  tell_ready(config, demo.has_value(), console);
  Reloader reloader{as_read, std::move(reread), [&](Config live) {
                      live.server.listen = port->address();
                      complete(live);
                      platform.use(live);
                      warn_of_shortage(machine, realtime_options(live), platform.core_count());
                    }};
  return run(platform, reloader, signals);
}

}  // namespace troupe::app
