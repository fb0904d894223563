// A publication as an event of the journal, and back.
//
// The event holds the finished frame, so what is read from the disk goes out as it went out before.
// Version 1 is the only one; what bears another name or version was written by another program.
#pragma once

#include <optional>

#include "troupe/actor/persist/journal.h"
#include "troupe/realtime/topic/journal_messages.h"

namespace troupe::realtime {

/// The entity that a topic is, and the topic that an entity is.
actor::PersistenceId entity_of(const TopicName& topic);
std::optional<TopicName> topic_of(const actor::PersistenceId& entity);

actor::Record record_of(const StoredMessage& message);
/// Throws actor::MalformedRecord.
StoredMessage message_of(const actor::StoredEvent& stored);
/// Whether it was published before `moment`; what cannot be read was not.
bool is_older(const actor::StoredEvent& stored, base::UnixTime moment);

}  // namespace troupe::realtime
