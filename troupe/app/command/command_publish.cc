// `troupe publish`: publishes one payload, or one a line, and prints what the server acknowledges.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <csignal>

#include "troupe/actor/actor.h"
#include "troupe/app/client/terminal_output.h"
#include "troupe/app/command/command.h"
#include "troupe/app/command/connect_flags.h"
#include "troupe/app/platform/signals.h"
#include "troupe/realtime/client/topic_publisher.h"
#include "troupe/wire/json.h"
#include "troupe/wire/utf8.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;  // for the handshake and the acknowledgement of one publication

constexpr const char* examples =
    "Examples:\n"
    "  troupe publish news '{\"text\": \"hello\"}'\n"
    "  troupe publish --text news hello\n"
    "  tail -f log | troupe publish --lines --text logs\n"
    "With --lines a line that is refused is told, and the next ones are published all the same.\n"
    "Exit status: 0 all was acknowledged; 1 something was not, and stderr says what; 2 the command line is wrong.\n"
    "After an interruption (Ctrl-C) nothing more is read, and what was sent has been acknowledged: 0.";

struct PublishFlags {
  ConnectFlags connect;
  std::string topic;
  std::string payload = "-";
  bool lines = false;
  bool text = false;
};

/// Whether it may be JSON: what is only too deep or too large is the server's to judge.
bool is_json(std::string_view payload) {
  const auto read = wire::parse_json(payload, {.bytes_max = payload.size()});
  return read || read.error() != wire::JsonError::malformed;
}

/// What became of one payload.
enum class Outcome : std::uint8_t {
  acknowledged,
  refused,  // this one alone
  lost,     // with the connection, or nobody knows: whatever follows would fare no better
};

/// One run of the command.
class Publishing {
 public:
  Publishing(const PublishFlags& flags, const Connector& connector, realtime::AccessToken token, Console& console)
      : flags_(flags), console_(console), system_({.cores = 1, .stall_limit = 0s}) {
    publisher_ = system_.spawn<realtime::TopicPublisher>(
        {.name = "publisher"},
        realtime::TopicPublisherOptions{connector.dial(), connector.socket_options(std::move(token)),
                                        token_renewal(flags.connect)});
  }

  /// Publishes one payload, and says what became of it.
  Outcome publish(std::string payload, std::string_view what) {
    if (flags_.text && !wire::is_utf8(payload)) return tell(Outcome::refused, what, "it is no UTF-8");
    if (!flags_.text && !is_json(payload))
      return tell(Outcome::refused, what, "it is no JSON value; with --text it would be published as a text");
    std::string json;
    flags_.text ? wire::append_json_string(json, payload) : void(json = std::move(payload));
    const auto answer =
        system_.block_on(publisher_.ask(realtime::PublishPayload{flags_.topic, std::move(json)}, {.within = patience}));
    if (answer) {
      console_.out(*answer + "\n");
      return Outcome::acknowledged;
    }
    if (!answer.error().domain)
      return tell(Outcome::lost, what, "no acknowledgement came in time; it may have been published");
    const auto& [failed, why] = *answer.error().domain;
    using Failed = realtime::PublishFailure::Outcome;
    return tell(failed == Failed::refused ? Outcome::refused : Outcome::lost, what,
                failed == Failed::unknown ? why + "; it may have been published" : why);
  }

  void finish() { (void)system_.block_on(publisher_.ask(realtime::FinishPublishing{}, {.within = 5s})); }

 private:
  Outcome tell(Outcome outcome, std::string_view what, std::string_view why) {
    console_.err(fmt::format("troupe: {} was not acknowledged: {}\n", what, why));
    return outcome;
  }

  const PublishFlags& flags_;
  Console& console_;
  actor::System system_;
  actor::Ref<realtime::TopicPublisher> publisher_;
};

/// Why lines end before the input does.
void throw_if_cut(LineReader::End end, std::string_view what) {
  if (end == LineReader::End::too_long) throw CommandFailed{fmt::format("{} is too long", what)};
  if (end == LineReader::End::unreadable) throw CommandFailed{"standard input cannot be read"};
}

/// One line after the other; each is answered before the next is read.
Outcome publish_lines(Publishing& publishing, LineReader& input, Console& console) {
  auto all = Outcome::acknowledged;
  for (std::uint64_t number = 1;; ++number) {
    auto line = input.next();
    if (!line) throw_if_cut(line.error(), fmt::format("nothing from line {} on was published: it", number));
    if (!line) return all;
    if (line->empty()) continue;
    const auto outcome = publishing.publish(*std::move(line), fmt::format("line {}", number));
    if (outcome == Outcome::lost) console.err(fmt::format("troupe: nothing after line {} was published\n", number));
    if (outcome == Outcome::lost) return outcome;
    all = std::max(all, outcome);
  }
}

Outcome publish_one(const PublishFlags& flags, Publishing& publishing, LineReader& input) {
  if (flags.payload != "-") return publishing.publish(flags.payload, "the payload");
  auto all = input.rest();
  if (!all) throw_if_cut(all.error(), "the payload");
  if (!all) throw CommandFailed{"interrupted; nothing was published"};
  if (flags.text && all->ends_with('\n')) all->pop_back();  // as a shell's $(...)
  return publishing.publish(*std::move(all), "the payload");
}

Exit publish(const PublishFlags& flags, Console& console) {
  if (flags.lines && flags.payload != "-") throw WrongUsage{"--lines reads standard input; it takes no PAYLOAD"};
  if (flags.connect.token_file == "-" && flags.payload == "-")
    throw WrongUsage{"standard input cannot give both the token and the payload"};
  const auto connector = make_connector(flags.connect);
  auto token = read_token(flags.connect, connector, console);
  const Signals signals{SIGINT, SIGTERM, SIGHUP};
  const auto interrupt = signals.descriptor();
  LineReader input{STDIN_FILENO, interrupt.get()};
  Publishing publishing{flags, connector, std::move(token), console};
  const auto outcome = flags.lines ? publish_lines(publishing, input, console) : publish_one(flags, publishing, input);
  if (outcome != Outcome::lost) publishing.finish();
  return outcome == Outcome::acknowledged ? Exit::success : Exit::failure;
}

}  // namespace

void add_publish_command(CLI::App& root, Invocation& invocation) {
  auto* command =
      root.add_subcommand("publish", "Publish to a topic of a running server, and print its acknowledgement");
  auto flags = std::make_shared<PublishFlags>();
  command->add_option("TOPIC", flags->topic, "The topic's name")->required();
  command->add_option("PAYLOAD", flags->payload, "One JSON value; - for standard input")->capture_default_str();
  command->add_flag("--lines", flags->lines, "Each line of standard input is a payload");
  command->add_flag("--text", flags->text, "Payloads are texts, not JSON");
  add_connect_flags(*command, flags->connect);
  command->footer(examples);
  command->callback([&invocation, flags] {
    invocation.chosen = [&invocation, flags] { return publish(*flags, invocation.console); };
  });
}

}  // namespace troupe::app
