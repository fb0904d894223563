// Events: the facts that an actor records, by name and version, and how older versions are read.
//
//   struct DepositedBefore { std::int64_t cents; };                    // version 1, as it was
//   struct Deposited {
//     std::int64_t cents;
//     Currency currency;
//     static constexpr std::string_view event_name = "Deposited";      // unless given: the name of the type
//     static constexpr int version = 2;                                // unless given: 1
//     using before = DepositedBefore;                                  // version 1; it has no version of its own
//     static Deposited upcast(DepositedBefore old) { return {old.cents, Currency::euro}; }
//   };
//
// A type of version n names that of version n - 1 as `before`, down to 1, so that a gap does not
// compile. What is recorded outlives the program: give an event a name before you rename its type.
// States that are kept (snapshots) have versions in the same way.
#pragma once

#include <variant>

#include "troupe/actor/codec.h"
#include "troupe/actor/handler.h"
#include "troupe/actor/persist/journal.h"

namespace troupe::actor {

/// A record that this program cannot read: an unknown event, a version newer than the program, or damaged bytes.
class UnreadableRecord : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  UnreadableRecord(const Record& record, std::string_view why);
};

namespace detail {

template <class E>
consteval std::string_view event_name() {
  if constexpr (requires { E::event_name; }) return E::event_name;
  return name_of_type<E>();
}

template <class E>
consteval int version() {
  if constexpr (requires { E::version; }) return E::version;
  return 1;
}

template <class E>
concept Upcasts = requires(typename E::before old) {
  { E::upcast(std::move(old)) } -> std::same_as<E>;
};

/// Whether every version of E from 1 on can be read.
template <class E>
consteval bool reads_all_versions() {
  if constexpr (Upcasts<E>) {
    return version<typename E::before>() == version<E>() - 1 && reads_all_versions<typename E::before>();
  } else {
    return version<E>() == 1;
  }
}

template <class Event>
inline constexpr bool event_upcasts_each_older_version = reads_all_versions<Event>();

template <class E>
E decode_version(int recorded, std::string_view bytes) {
  if constexpr (Upcasts<E>) {
    if (recorded < version<E>()) return E::upcast(decode_version<typename E::before>(recorded, bytes));
  }
  return decode<E>(bytes);
}

template <class E>
Record to_record(const E& value) {
  return {.name = std::string{event_name<E>()}, .version = version<E>(), .bytes = encode(value)};
}

/// Throws UnreadableRecord.
template <class E>
E from_record(const Record& record) {
  static_assert(event_upcasts_each_older_version<E>, "a state that is kept has upcasts as events have");
  if (record.version < 1 || record.version > version<E>()) {
    throw UnreadableRecord(record, "this program knows versions up to " + std::to_string(version<E>()));
  }
  try {
    return decode_version<E>(record.version, record.bytes);
  } catch (const MalformedRecord& malformed) {
    throw UnreadableRecord(record, malformed.what());
  }
}

template <class... E>
consteval bool names_differ() {
  const std::string_view names[] = {event_name<E>()...};
  for (std::size_t i = 0; i < sizeof...(E); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (names[i] == names[j]) return false;
    }
  }
  return true;
}

}  // namespace detail

/// The events of one actor.
template <class... E>
struct Events {
  static_assert(detail::names_differ<E...>(), "two events have the same `event_name`");
  static_assert((detail::event_upcasts_each_older_version<E> && ...),
                "version n names the type of version n - 1, down to 1: `using before = ...; static E upcast(before);`");
  using Any = std::variant<E...>;

  /// Calls `f` with the event that was recorded. Throws UnreadableRecord.
  template <class F>
  static void visit(const Record& record, F f) {
    const bool known = ((record.name == detail::event_name<E>() && (f(detail::from_record<E>(record)), true)) || ...);
    if (!known) throw UnreadableRecord(record, "this actor has no such event");
  }
};

}  // namespace troupe::actor
