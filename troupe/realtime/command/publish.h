// publish: permission and rules, then the topic's home; the counts come back only to who asks for them.
#pragma once

#include <coroutine>

#include "troupe/actor/actor.h"
#include "troupe/base/shared_text.h"
#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

/// Who waits for the topic's home: everybody where the topic holds its publishers up (`block`, `backpressure`, a
/// history on the disk), for only so they feel it; elsewhere who wants an answer.
enum class HomeAnswer : std::uint8_t { as_wanted, waited_for };

/// A publication that may be made, as the operator's rules want it.
struct JudgedPublication {
  PublishMessage message;
  base::SharedText redirected_to;  // where a rule sends it; empty: nowhere else
  HomeAnswer answer = HomeAnswer::as_wanted;
  base::Duration within{};  // the answer of its home
};

/// Whether it may be published: topic, permission, size, rules.
std::expected<JudgedPublication, ClientError> judge(PublishPtr command, const Asker& asker);

using Published = actor::Answer<PublishMessage>;

/// `co_await Publishing{judged, home}`: has `home`, that of the message's topic, publish it; gives what all cores have
/// counted.
class [[nodiscard]] Publishing {
 public:
  Publishing(JudgedPublication&& publication, const RouterRef& home)
      : asked_(home.ask(std::move(publication.message), {.within = publication.within})),
        redirected_to_(std::move(publication.redirected_to)) {}

  bool await_ready() const noexcept { return asked_.await_ready(); }
  bool await_suspend(std::coroutine_handle<> frame) { return asked_.await_suspend(frame); }
  Published await_resume();

 private:
  actor::AskAwaiter<PublishMessage> asked_;
  base::SharedText redirected_to_;
};

/// What a client is told of a publication that failed.
ClientError error_of(const actor::Failure<PublishError>& failure);

/// The command is taken apart, and must outlive the task.
actor::Task<void> run(PublishPtr&& command, OptionalId id, Client& client);

}  // namespace troupe::realtime
