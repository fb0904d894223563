// Answer: how what a handler has to say reaches its asker, on whichever core.
//
// Each ask gets one answer at most; one that comes too late is counted.
#pragma once

#include "troupe/actor/message.h"
#include "troupe/actor/runtime/core.h"

namespace troupe::actor::detail {

/// The waiting side of an ask for an R or E.
template <class R, class E>
struct TypedAsk : AskState {
  std::optional<std::expected<R, E>> answer;
};

template <class R, class E>
struct AnswerMessage {
  ReplyTo reply;
  std::expected<R, E> value;
};

template <class R, class E>
void answer(Core& core, ReplyTo reply, std::expected<R, E> value);

template <class R, class E>
inline constexpr Handler answer_handler{
    .invoke =
        [](Core& core, Cell*, Envelope& envelope) {
          auto& message = envelope.message<AnswerMessage<R, E>>();
          answer<R, E>(core, message.reply, std::move(message.value));
        },
    .destroy = destroy_message<AnswerMessage<R, E>>,
    .message = "answer",
    .message_class = MessageClass::control,
    .runtime = true,
};

template <class R, class E>
[[gnu::noinline]] void answer_elsewhere(Core& core, ReplyTo reply, std::expected<R, E> value) {
  Core& home = core.host().core(reply.core());
  Core::submit(&core, home, core.make(answer_handler<R, E>, {}, AnswerMessage<R, E>{reply, std::move(value)}));
}

/// Gives the asker, on whichever core, its answer. On the core of the actor that answers.
template <class R, class E>
void answer(Core& core, ReplyTo reply, std::expected<R, E> value) {
  if (reply.core() != core.index()) {
    answer_elsewhere<R, E>(core, reply, std::move(value));
    return;
  }
  auto* ask = static_cast<TypedAsk<R, E>*>(core.find_ask(reply));
  if (ask == nullptr) {
    core.count_unaddressed(Drop::late_reply);
    return;
  }
  ask->answer.emplace(std::move(value));
  core.finish_ask(*ask);
}

}  // namespace troupe::actor::detail
