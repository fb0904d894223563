// HTML forms: what a person could fill in and press on a page, found without understanding the rest of it.
//
// Reads any bytes: tags that are broken are passed over, comments and scripts are no tags, and what exceeds the bounds
// is not looked at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::attack {

enum class FieldKind : std::uint8_t { hidden, text, password, choice, button };

struct HtmlField {
  FieldKind kind = FieldKind::text;
  std::string name, value;
  std::string label;        // of a button: what it says
  bool is_checked = false;  // of a checkbox or radio button
};

struct HtmlForm {
  std::string action;  // "": the page itself
  std::string method;  // "get" or "post"
  std::vector<HtmlField> fields;

  /// The first field of that kind; null where there is none.
  const HtmlField* first(FieldKind kind) const noexcept;
};

/// The forms of a page, 16 at most with 200 fields each, of its first megabyte.
std::vector<HtmlForm> forms_in(std::string_view html);

/// `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;` and ASCII by number become what they stand for; others stay.
std::string decode_entities(std::string_view text);

}  // namespace troupe::attack
