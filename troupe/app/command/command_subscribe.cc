// `troupe subscribe` and `troupe watch`: what is published to topics, for scripts and for people.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <ctime>

#include "troupe/actor/actor.h"
#include "troupe/app/client/terminal_output.h"
#include "troupe/app/client/topic_listener.h"
#include "troupe/app/command/command.h"
#include "troupe/app/command/connect_flags.h"
#include "troupe/app/platform/signals.h"
#include "troupe/base/clock.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr int ended_signal = SIGUSR1;                   // the listener says: it is over
constexpr std::uint64_t count_max = 1'000'000'000'000;  // nobody lives to see it

constexpr const char* about_tokens =
    "\nThe file of --token-file is read again when its token is about to expire: who writes a fresh one there in time\n"
    "keeps this going. Where it comes back after a lost connection, two minutes after the end are in time, too.\n"
    "A token in TROUPE_TOKEN ends it when it expires (after ten minutes, unless the server says otherwise).";

constexpr const char* subscribe_examples =
    "Examples:\n"
    "  troupe subscribe news.today 'alerts.*'\n"
    "  troupe subscribe --count 1 deploys | jq .payload\n"
    "  troupe subscribe --recover --record traffic.jsonl orders\n"
    "Each message is one line of JSON on stdout, as the server sent it; a binary payload is `payload_base64`.\n"
    "Gaps, losses and the connection's fate are told on stderr.\n"
    "Exit status: 0 there were --count messages, it was interrupted (Ctrl-C), or nobody reads its output; 1 the "
    "server\n"
    "refused, or the connection ended; 2 the command line is wrong.";

constexpr const char* watch_examples =
    "Examples:\n"
    "  troupe watch 'news.>'\n"
    "  troupe watch --token-file token --server wss://live.example.org orders\n"
    "Shows time, topic, sender and payload, and whatever happens to the connection; it comes back by itself and goes "
    "on\n"
    "where it was. Exit status: 0 it was interrupted (Ctrl-C); 1 the server refused; 2 the command line is wrong.";

struct SubscribeFlags {
  ConnectFlags connect;
  std::vector<std::string> topics;
  std::uint64_t count = 0;
  std::string record;
  std::string overflow;
  bool recover = false;
};

std::int64_t utc_offset() {
  const auto now = static_cast<std::time_t>(base::system_clock().wall().seconds());
  std::tm local{};
  return ::localtime_r(&now, &local) == nullptr ? 0 : local.tm_gmtoff;
}

/// The file for --record, or standard output's descriptors as /dev/fd/N.
net::Descriptor open_record(const std::string& path) {
  net::Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!file) throw CommandFailed{fmt::format("{} cannot be written", path)};
  return file;
}

Exit listen(const SubscribeFlags& flags, MessageView view, realtime::Reconnect reconnect, Console& console) {
  const auto connector = make_connector(flags.connect);
  auto token = read_token(flags.connect, connector, console);
  net::Descriptor record;
  if (!flags.record.empty()) record = open_record(flags.record);
  const Signals signals{SIGINT, SIGTERM, SIGHUP, ended_signal};
  std::optional<std::string> why;  // this and the next: written before the signal, read after the core has ended
  bool is_recorded = true;

  TopicListenerOptions options;
  options.subscriber = {.dial = connector.dial(),
                        .socket = connector.socket_options(std::move(token)),
                        .topics = flags.topics,
                        .overflow = flags.overflow,
                        .reconnect = reconnect,
                        .renew_token = token_renewal(flags.connect)};
  options.view = view;
  options.count = flags.count;
  const int notes = view.form == ViewForm::columns ? STDOUT_FILENO : STDERR_FILENO;
  options.out = [](std::string_view text) { return write_to(STDOUT_FILENO, text); };
  options.err = [notes](std::string_view text) { (void)write_to(notes, text); };
  if (record) {
    options.record = [file = record.get(), &is_recorded](std::string_view line) {
      if (!is_recorded || !write_to(file, line)) return;
      is_recorded = false;
      send_to_main(SIGTERM);
    };
  }
  options.done = [&why](std::optional<std::string> reason) {
    why = std::move(reason);
    send_to_main(ended_signal);
  };
  actor::System system{{.cores = 1, .stall_limit = 0s}};
  const auto listener =
      system.spawn<TopicListener>({.name = "listener", .restart = actor::Restart::temporary}, std::move(options));
  if (signals.wait() != ended_signal) {
    listener.tell(StopListening{});
    (void)signals.wait(3s);  // for the server's close frame; another signal hurries
  }
  system.shutdown();
  if (!is_recorded) why = fmt::format("{} cannot be written", flags.record);
  if (!why) return Exit::success;
  console.err(fmt::format("troupe: {}\n", *why));
  return Exit::failure;
}

void add_topics(CLI::App& command, SubscribeFlags& flags) {
  command.add_option("TOPIC", flags.topics, "Names, or patterns: * is one segment, > the rest")->required();
  command.add_option("--overflow", flags.overflow,
                     "When we are too slow: drop_oldest, drop_newest, latest, disconnect or spill");
  add_connect_flags(command, flags.connect);
}

}  // namespace

void add_subscribe_commands(CLI::App& root, Invocation& invocation) {
  auto* subscribe = root.add_subcommand(
      "subscribe", "Print what is published to topics of a running server, one JSON line a message");
  auto flags = std::make_shared<SubscribeFlags>();
  add_topics(*subscribe, *flags);
  subscribe->add_option("--count", flags->count, "End after so many messages")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, count_max));
  subscribe->add_flag("--recover", flags->recover, "Come back after a lost connection, and go on without loss");
  subscribe->add_option("--record", flags->record, "Write the traffic there, for tools/history_check")
      ->type_name("FILE");
  subscribe->footer(std::string{subscribe_examples} + about_tokens);
  subscribe->callback([&invocation, flags] {
    invocation.chosen = [&invocation, flags] {
      const auto reconnect = flags->recover ? realtime::Reconnect::always : realtime::Reconnect::never;
      return listen(*flags, {}, reconnect, invocation.console);
    };
  });

  auto* watch = root.add_subcommand("watch", "Show what is published to topics of a running server, as it comes");
  auto watched = std::make_shared<SubscribeFlags>();
  add_topics(*watch, *watched);
  watch->footer(std::string{watch_examples} + about_tokens);
  watch->callback([&invocation, watched] {
    invocation.chosen = [&invocation, watched] {
      const MessageView view{.form = ViewForm::columns,
                             .width = terminal_width(STDOUT_FILENO).value_or(160),
                             .utc_offset_s = utc_offset()};
      return listen(*watched, view, realtime::Reconnect::always, invocation.console);
    };
  });
}

}  // namespace troupe::app
