// publish: permission and rules, then the topic's home; the counts come back only to who asks for them.
#pragma once

#include "troupe/realtime/command/client.h"
#include "troupe/realtime/protocol/command.h"

namespace troupe::realtime {

/// Who waits for the topic's home: everybody where the topic holds its publishers up (`block`, `backpressure`, a
/// history on the disk), for only so they feel it; elsewhere who wants an answer.
enum class HomeAnswer : std::uint8_t { as_wanted, waited_for };

/// A publication that may be made, as the operator's rules want it.
struct JudgedPublication {
  PublishMessage message;
  std::string redirected_to;  // where a rule sends it; empty: nowhere else
  HomeAnswer answer = HomeAnswer::as_wanted;
  base::Duration within{};  // the answer of its home
};

/// Whether it may be published: topic, permission, size, rules.
std::expected<JudgedPublication, ClientError> judge(Publish&& command, const Asker& asker);

/// Has `home`, that of the message's topic, publish it; gives what all cores have counted. The publication must outlive
/// the task, which takes it apart.
actor::Task<std::expected<PublishAck, actor::Failure<PublishError>>> publish(JudgedPublication&& publication,
                                                                             RouterRef home);

/// What a client is told of a publication that failed.
ClientError error_of(const actor::Failure<PublishError>& failure);

/// The command is taken apart, and must outlive the task.
actor::Task<void> run(Publish&& command, OptionalId id, Client& client);

}  // namespace troupe::realtime
