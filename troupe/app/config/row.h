// row(): makes a Key of a name, a codec and the place of the value. Used by the files of rows alone.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "troupe/app/config/codec.h"
#include "troupe/app/config/key.h"

namespace troupe::app {

/// A row: `access` finds the value in a Whole.
template <class Whole, class T, class Access>
KeyOf<Whole> row(std::string name, std::string help, codec::Codec<T> codec, Access access, Reload reload) {
  return {std::move(name),
          codec.form,
          codec.kind,
          std::move(help),
          [codec, access](Whole& whole, const Given& given) -> std::optional<Complaint> {
            auto value = codec.read(given);
            if (!value) return value.error();
            access(whole) = *std::move(value);
            return std::nullopt;
          },
          [codec, access](const Whole& whole) {
            Whole copy = whole;
            return codec.write(access(copy));
          },
          [access](Whole& whole, const Whole& from) {
            Whole copy = from;
            access(whole) = access(copy);
          },
          reload};
}

}  // namespace troupe::app
