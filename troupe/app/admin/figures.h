// Figures: what the runtime and the process know of themselves, as samples and as JSON.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "troupe/actor/inspect.h"
#include "troupe/actor/shutdown_phases.h"
#include "troupe/base/metrics.h"

namespace troupe::app {

/// Adds what was counted for each class of actor.
void add_actor_figures(base::Samples& samples, const std::vector<actor::TypeFigures>& figures);

/// Adds what waits in mailboxes, by class of actor.
void add_mailbox_figures(base::Samples& samples, const std::map<std::string, actor::MailboxFigures>& mailboxes);

/// Adds how many drops `host` has counted and not told to who listens to dead letters, whose queue was full.
void add_dead_letter_figures(base::Samples& samples, actor::Host& host);

/// Adds memory, processor time and open files of this process, as /proc has them.
void add_process_figures(base::Samples& samples);

/// Adds how far a shutdown is: the state of each phase, and how long it has taken.
void add_shutdown_figures(base::Samples& samples, std::span<const actor::PhaseProgress> phases);

/// The tree of actors, an array in which parents stand before their children; and for each class of which messages
/// were measured how long they took, by core.
std::string tree_json(std::span<const actor::InspectedActor> actors, std::span<const actor::TypeFigures> types);

}  // namespace troupe::app
