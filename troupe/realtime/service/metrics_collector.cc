// MetricsCollector: the names under which the service is watched.
#include "troupe/realtime/service/metrics_collector.h"

#include <fmt/format.h>

namespace troupe::realtime {

namespace {

template <std::size_t n>
void add_each(std::array<std::uint64_t, n>& sum, const std::array<std::uint64_t, n>& one) {
  for (std::size_t i = 0; i < n; ++i) sum[i] += one[i];
}

void add(ConnectionFigures& sum, const ConnectionFigures& one) {
  sum.opened += one.opened;
  sum.open += one.open;
  sum.frames_in += one.frames_in;
  sum.bytes_in += one.bytes_in;
  sum.frames_refused += one.frames_refused;
  sum.frames_limited += one.frames_limited;
  sum.bytes_out += one.bytes_out;
  sum.writes += one.writes;
  sum.waiting += one.waiting;
  sum.waiting_bytes += one.waiting_bytes;
  sum.spill_pages += one.spill_pages;
  sum.spill_lost += one.spill_lost;
  sum.closed_rate_limited += one.closed_rate_limited;
  sum.closed_slow += one.closed_slow;
  sum.closed_heartbeat += one.closed_heartbeat;
  sum.closed_token += one.closed_token;
  sum.closes.add(one.closes);
  sum.outbox.dropped.merge(one.outbox.dropped,
                           [](ByOverflow& policies, const ByOverflow& more) { add_each(policies, more); });
  add_each(sum.outbox.gaps_told, one.outbox.gaps_told);
  sum.drain.told += one.drain.told;
  sum.drain.gone += one.drain.gone;
  sum.drain.left += one.drain.left;
  sum.decoding.merge(one.decoding);
  sum.writing.merge(one.writing);
  sum.queue_depth.merge(one.queue_depth);
  sum.queue_wait.merge(one.queue_wait);
  sum.compression.runs += one.compression.runs;
  sum.compression.frames += one.compression.frames;
  sum.compression.bytes_saved += one.compression.bytes_saved;
}

void add(RouterFigures& sum, const RouterFigures& one) {
  sum.published += one.published;
  sum.delivered += one.delivered;
  sum.dropped += one.dropped;
  sum.spilled += one.spilled;
  sum.pushed_back += one.pushed_back;
  sum.missed += one.missed;
  sum.recorded += one.recorded;
  sum.not_recorded += one.not_recorded;
  sum.recording += one.recording;
  sum.directs += one.directs;
  sum.topics += one.topics;
  sum.topics_refused += one.topics_refused;
  sum.topics_refused_of_user += one.topics_refused_of_user;
  sum.history_bytes += one.history_bytes;
  sum.inboxes += one.inboxes;
  sum.subscriptions += one.subscriptions;
  sum.trie_lookups += one.trie_lookups;
  sum.trie_hits += one.trie_hits;
  sum.trie_visited += one.trie_visited;
  sum.routing.merge(one.routing);
  sum.enqueuing.merge(one.enqueuing);
  sum.namespaces.merge(one.namespaces, [](NamespaceFigures& figures, const NamespaceFigures& more) {
    figures.published += more.published;
    figures.delivered += more.delivered;
    figures.spilled += more.spilled;
    figures.subscriptions += more.subscriptions;
    figures.history_bytes += more.history_bytes;
  });
}

void add(SessionFigures& sum, const SessionFigures& one) {
  sum.open += one.open;
  sum.parked += one.parked;
  sum.resumed += one.resumed;
  sum.expired += one.expired;
}

void add(PresenceFigures& sum, const PresenceFigures& one) {
  sum.topics += one.topics;
  sum.users += one.users;
  sum.changes += one.changes;
}

// Every second power of two, from `first` to `last`. A bucket has what is at most its bound, so in whole numbers the
// power less one. `unit`: what one is worth.
void show(base::Samples& out, const char* name, const char* help, const Spread& sum, std::size_t first,
          std::size_t last, double unit, base::Labels labels = {}) {
  base::Samples::Spread shown{.name = name,
                              .help = help,
                              .bounds = {},
                              .counts = {},
                              .sum = static_cast<double>(sum.sum()) * unit,
                              .labels = std::move(labels)};
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < Spread::buckets; ++i) {
    count += sum.count(i);
    if (i < first || i > last || (i - first) % 2 != 0) continue;
    shown.bounds.push_back(static_cast<double>((std::uint64_t{1} << i) - 1) * unit);
    shown.counts.push_back(std::exchange(count, 0));
  }
  shown.counts.push_back(count);
  out.histogram(std::move(shown));
}

void show_stage(base::Samples& out, const char* stage, const SampledTime& sum) {
  show(out, "troupe_realtime_stage_seconds", "What a step of a message on its way takes, of one in 64.", sum.spread(),
       10, 34, 1e-9, {{"stage", stage}});
}

void show(base::Samples& out, const PresenceFigures& sum) {
  out.gauge("troupe_realtime_presence_topics", "Topics with users or watchers.", static_cast<double>(sum.topics));
  out.gauge("troupe_realtime_presence_users", "Users in topics; one counts once in each.",
            static_cast<double>(sum.users));
  out.counter("troupe_realtime_presence_changes_total", "Users told to have joined or left a topic.",
              static_cast<double>(sum.changes));
}

void show(base::Samples& out, const SessionFigures& sum) {
  out.gauge("troupe_realtime_sessions", "Sessions, by whether they have a socket.", static_cast<double>(sum.open),
            {{"state", "open"}});
  out.gauge("troupe_realtime_sessions", "Sessions, by whether they have a socket.", static_cast<double>(sum.parked),
            {{"state", "parked"}});
  out.counter("troupe_realtime_sessions_resumed_total", "Sessions that went on with another socket.",
              static_cast<double>(sum.resumed));
  out.counter("troupe_realtime_sessions_expired_total", "Sessions whose client did not come back in time.",
              static_cast<double>(sum.expired));
}

void show(base::Samples& out, const ServerFigures& sum) {
  out.gauge("troupe_realtime_connections", "Connections that hold a place.", static_cast<double>(sum.connections));
  out.counter("troupe_realtime_admitted_total", "Connections let in.", static_cast<double>(sum.admitted));
  out.counter("troupe_realtime_turned_away_total", "Connections refused with 503, or 4008 of their user.",
              static_cast<double>(sum.refused));
}

void show(base::Samples& out, const CloseFigures& sum) {
  for (auto [by, name] : {std::pair{ClosedBy::server, "server"}, {ClosedBy::client, "client"}}) {
    for (auto code : CloseFigures::codes) {
      out.counter("troupe_realtime_close_codes_total", "Connections that ended, by close code and by who ended them.",
                  static_cast<double>(sum.count(code, by)),
                  {{"by", name}, {"code", code == CloseFigures::other ? "other" : fmt::format("{}", code)}});
    }
  }
}

template <class Figures, class Show>
void for_each_namespace(const ByNamespace<Figures>& figures, Show&& show) {
  for (const auto& [name, one] : figures.named()) show(name, one);
  show(std::string{figures.other_name}, figures.other());
}

void show(base::Samples& out, const OutboxFigures& sum) {
  for_each_namespace(sum.dropped, [&](const std::string& name, const ByOverflow& dropped) {
    for (auto [overflow, policy] : {std::pair{Overflow::drop_oldest, "drop_oldest"},
                                    {Overflow::drop_newest, "drop_newest"},
                                    {Overflow::latest, "latest"},
                                    {Overflow::block, "block"},
                                    {Overflow::backpressure, "backpressure"}}) {
      out.counter("troupe_realtime_dropped_total",
                  "Messages that became part of a gap, by the policy that dropped them.",
                  static_cast<double>(dropped[static_cast<std::size_t>(overflow)]),
                  {{"namespace", name}, {"overflow", policy}});
    }
  });
  auto told = [&](const char* name, GapReason reason) {
    out.counter("troupe_realtime_gaps_told_total", "Gaps that clients were told, by reason.",
                static_cast<double>(sum.gaps_told[static_cast<std::size_t>(reason)]), {{"reason", name}});
  };
  told("overflow", GapReason::overflow);
  told("latest", GapReason::latest);
  told("expired", GapReason::expired);
  told("filtered", GapReason::filtered);
}

void show(base::Samples& out, const DrainFigures& sum) {
  auto connections = [&](const char* state, std::uint64_t value) {
    out.gauge("troupe_realtime_drain_connections",
              "Connections of a drain: told to go so far, gone so far, and left, told or not yet.",
              static_cast<double>(value), {{"state", state}});
  };
  connections("told", sum.told);
  connections("gone", sum.gone);
  connections("left", sum.left);
}

void show(base::Samples& out, const ConnectionFigures& sum) {
  auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    out.counter(name, help, static_cast<double>(value));
  };
  counter("troupe_realtime_frames_received_total", "Frames of clients.", sum.frames_in);
  counter("troupe_realtime_received_bytes_total", "Bytes in frames of clients.", sum.bytes_in);
  counter("troupe_realtime_frames_refused_total", "Frames that were no command.", sum.frames_refused);
  counter("troupe_realtime_frames_limited_total", "Frames over a rate of their user or address.", sum.frames_limited);
  counter("troupe_realtime_sent_bytes_total", "Bytes written to clients.", sum.bytes_out);
  counter("troupe_realtime_writes_total", "Gathered writes; one a connection and turn at best.", sum.writes);
  counter("troupe_realtime_deflate_runs_total", "Frames that were compressed.", sum.compression.runs);
  counter("troupe_realtime_deflated_frames_total", "Frames that left compressed.", sum.compression.frames);
  counter("troupe_realtime_deflate_saved_bytes_total", "Bytes that did not leave because of it.",
          sum.compression.bytes_saved);
  out.gauge("troupe_realtime_waiting_messages", "Messages that wait in outboxes.", static_cast<double>(sum.waiting));
  out.gauge("troupe_realtime_waiting_bytes", "Their bytes; many outboxes share one message.",
            static_cast<double>(sum.waiting_bytes));
  counter("troupe_realtime_spill_pages_total", "Pages of history read for slow readers that spill.", sum.spill_pages);
  counter("troupe_realtime_spill_lost_total", "Messages that spilled and were told as a gap.", sum.spill_lost);
  auto closed = [&](const char* reason, std::uint64_t value) {
    out.counter("troupe_realtime_closed_total", "Connections that the server closed, by reason.",
                static_cast<double>(value), {{"reason", reason}});
  };
  closed("rate_limit", sum.closed_rate_limited);
  closed("slow_consumer", sum.closed_slow);
  closed("heartbeat", sum.closed_heartbeat);
  closed("token", sum.closed_token);
  show(out, sum.closes);
  show(out, sum.outbox);
  show(out, sum.drain);
  show_stage(out, "decode", sum.decoding);
  show_stage(out, "write", sum.writing);
  show(out, "troupe_realtime_outbox_messages", "Messages that wait for a socket when a write begins, of one in 64.",
       sum.queue_depth, 0, 20, 1);
  show(out, "troupe_realtime_outbox_wait_seconds", "How long the first of them has waited.", sum.queue_wait, 10, 34,
       1e-9);
}

void show(base::Samples& out, const std::string& name, const NamespaceFigures& sum) {
  const base::Labels labels{{"namespace", name}};
  auto counter = [&](const char* metric, const char* help, std::uint64_t value) {
    out.counter(metric, help, static_cast<double>(value), labels);
  };
  auto gauge = [&](const char* metric, const char* help, std::uint64_t value) {
    out.gauge(metric, help, static_cast<double>(value), labels);
  };
  counter("troupe_realtime_published_total", "Publications.", sum.published);
  counter("troupe_realtime_delivered_total", "Messages accepted by outboxes.", sum.delivered);
  counter("troupe_realtime_spilled_total", "Messages left to be read again from history.", sum.spilled);
  gauge("troupe_realtime_history_bytes", "Bytes of messages kept.", sum.history_bytes);
  gauge("troupe_realtime_subscriptions", "Subscriptions.", sum.subscriptions);
}

void show(base::Samples& out, const RouterFigures& sum) {
  for_each_namespace(sum.namespaces,
                     [&](const std::string& name, const NamespaceFigures& one) { show(out, name, one); });
  auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    out.counter(name, help, static_cast<double>(value));
  };
  auto gauge = [&](const char* name, const char* help, std::uint64_t value) {
    out.gauge(name, help, static_cast<double>(value));
  };
  counter("troupe_realtime_pushed_back_total", "Publications refused because a subscriber is slow.", sum.pushed_back);
  counter("troupe_realtime_missed_total", "Deliveries that a core's full lane refused.", sum.missed);
  counter("troupe_realtime_recorded_total", "Publications to durable topics that are on the disk.", sum.recorded);
  counter("troupe_realtime_not_recorded_total", "Publications to durable topics that were refused or failed.",
          sum.not_recorded);
  gauge("troupe_realtime_recording", "Publications that wait for the disk.", sum.recording);
  counter("troupe_realtime_directs_total", "Direct messages.", sum.directs);
  gauge("troupe_realtime_topics", "Topics with a position.", sum.topics);
  for (auto [limit, count] : {std::pair{"core", sum.topics_refused}, {"user", sum.topics_refused_of_user}}) {
    out.counter("troupe_realtime_topics_refused_total",
                "Publications refused because there were as many topics as may be, on the core or of their user.",
                static_cast<double>(count), {{"limit", limit}});
  }
  show_stage(out, "route", sum.routing);
  show_stage(out, "enqueue", sum.enqueuing);
  gauge("troupe_realtime_inboxes", "Inboxes of users.", sum.inboxes);
  counter("troupe_realtime_match_lookups_total", "Searches for subscribers.", sum.trie_lookups);
  counter("troupe_realtime_match_hits_total", "Of those, answered from a kept result.", sum.trie_hits);
  counter("troupe_realtime_match_visited_total", "Nodes visited by the others.", sum.trie_visited);
}

// Asks one actor after the other; whoever does not answer counts for nothing.
template <class Actor, class Question>
actor::Task<typename Question::reply> sum_of(std::vector<actor::Ref<Actor>> actors, Question question) {
  typename Question::reply sum;
  for (const auto& one : actors) {
    auto figures = co_await one.ask(question);
    if (figures) add(sum, *figures);
  }
  co_return sum;
}

}  // namespace

actor::Task<base::Samples> MetricsCollector::handle(CollectMetrics) {
  base::Samples samples;
  auto server = co_await sources_.server.ask(MeasureServer{});
  if (server) show(samples, *server);
  show(samples, co_await sum_of(sources_.connections, MeasureConnections{}));
  show(samples, co_await sum_of(sources_.routers, MeasureRouter{}));
  show(samples, co_await sum_of(sources_.keepers, MeasureSessions{}));
  show(samples, co_await sum_of(sources_.presence, MeasurePresence{}));
  co_return samples;
}

}  // namespace troupe::realtime
