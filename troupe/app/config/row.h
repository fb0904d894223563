// row(): makes a Key of a name, a codec and the place of the value. Used by the files of rows alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "troupe/app/config/codec.h"
#include "troupe/app/config/key.h"

namespace troupe::app {

/// Finds a value in a Whole. A function, so that what a row does is compiled once for each type and not for each row.
template <class Whole, class T>
using PlaceOf = std::type_identity_t<T>& (*)(Whole&);

/// A row: `place` finds the value.
template <class Whole, class T>
KeyOf<Whole> row(std::string_view name, std::string_view help, const codec::Codec<T>& codec, PlaceOf<Whole, T> place,
                 Reload reload) {
  return {std::string{name},
          codec.form,
          codec.kind,
          std::string{help},
          [codec, place](Whole& whole, const Given& given) -> std::optional<Complaint> {
            auto value = codec.read(given);
            if (!value) return value.error();
            place(whole) = *std::move(value);
            return std::nullopt;
          },
          [codec, place](const Whole& whole) {
            Whole copy = whole;
            return codec.write(place(copy));
          },
          [place](Whole& whole, const Whole& from) {
            Whole copy = from;
            place(whole) = place(copy);
          },
          reload};
}

}  // namespace troupe::app
