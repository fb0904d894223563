// See html_form.h.
#include "troupe/attack/html_form.h"

#include <array>
#include <charconv>
#include <utility>

#include "troupe/wire/ascii.h"

namespace troupe::attack {
namespace {

constexpr std::size_t bytes_max = 1024 * 1024;
constexpr std::size_t forms_max = 16;
constexpr std::size_t fields_max = 200;
constexpr std::size_t attributes_max = 50;
constexpr std::size_t entity_bytes_max = 8;

struct Attribute {
  std::string name, value;
};

struct Tag {
  std::string name;  // lower case; "/form" for an end
  std::vector<Attribute> attributes;

  const std::string* find(std::string_view wanted) const {
    for (const Attribute& attribute : attributes) {
      if (attribute.name == wanted) return &attribute.value;
    }
    return nullptr;
  }
  std::string get(std::string_view wanted, std::string_view otherwise = "") const {
    const std::string* value = find(wanted);
    return value ? *value : std::string{otherwise};
  }
};

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

/// Takes tags off the front of a page, one after the other.
class TagReader {
 public:
  explicit TagReader(std::string_view html) : rest_(html) {}

  /// The next tag, or nothing at the end.
  bool next(Tag& tag) {
    while (true) {
      const auto at = rest_.find('<');
      if (at == std::string_view::npos) return false;
      rest_.remove_prefix(at + 1);
      if (rest_.starts_with("!--")) {
        skip_past("-->");
        continue;
      }
      if (rest_.empty() || (!wire::is_letter(rest_.front()) && rest_.front() != '/')) continue;
      tag = read();
      if (tag.name == "script" || tag.name == "style") skip_to("</" + tag.name);
      return true;
    }
  }

  /// The text up to the next tag.
  std::string text() const { return std::string{rest_.substr(0, rest_.find('<'))}; }

 private:
  Tag read() {
    Tag tag;
    tag.name = wire::to_lower(take([](char c) { return !is_space(c) && c != '>'; }));
    if (tag.name.ends_with('/')) tag.name.pop_back();
    while (true) {
      take([](char c) { return is_space(c) || c == '/'; });
      if (rest_.empty()) return tag;
      if (rest_.front() == '>') return rest_.remove_prefix(1), tag;
      Attribute attribute = read_attribute();
      if (tag.attributes.size() < attributes_max) tag.attributes.push_back(std::move(attribute));
    }
  }

  Attribute read_attribute() {
    Attribute attribute;
    const bool is_odd = rest_.front() == '=';  // no name begins so, but something must be taken
    if (is_odd) rest_.remove_prefix(1);
    attribute.name = wire::to_lower(take([](char c) { return !is_space(c) && c != '=' && c != '>' && c != '/'; }));
    take(is_space);
    if (!rest_.starts_with('=')) return attribute;
    rest_.remove_prefix(1);
    take(is_space);
    if (rest_.starts_with('"') || rest_.starts_with('\'')) {
      const char quote = rest_.front();
      rest_.remove_prefix(1);
      attribute.value = decode_entities(take([quote](char c) { return c != quote; }));
      if (!rest_.empty()) rest_.remove_prefix(1);
    } else {
      attribute.value = decode_entities(take([](char c) { return !is_space(c) && c != '>'; }));
    }
    return attribute;
  }

  template <class Belongs>
  std::string_view take(Belongs belongs) {
    std::size_t length = 0;
    while (length < rest_.size() && belongs(rest_[length])) ++length;
    const auto taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  void skip_past(std::string_view end) {
    const auto at = rest_.find(end);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
  }
  void skip_to(std::string_view end) {
    const auto at = rest_.find(end);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }

  std::string_view rest_;
};

FieldKind kind_of_input(std::string_view type) {
  if (type == "hidden") return FieldKind::hidden;
  if (type == "password") return FieldKind::password;
  if (type == "checkbox" || type == "radio") return FieldKind::choice;
  if (type == "submit" || type == "button" || type == "image") return FieldKind::button;
  return FieldKind::text;
}

HtmlField input(const Tag& tag) {
  HtmlField field{kind_of_input(wire::to_lower(tag.get("type", "text"))), tag.get("name"), tag.get("value"), {}};
  if (field.kind == FieldKind::button) field.label = field.value;
  if (field.kind == FieldKind::choice && field.value.empty()) field.value = "on";
  field.is_checked = tag.find("checked") != nullptr;
  return field;
}

/// What a tag adds to the form that it stands in. An option belongs to the select before it.
void add_to(HtmlForm& form, const Tag& tag, const std::string& text_after) {
  if (form.fields.size() >= fields_max) return;
  if (tag.name == "input") {
    form.fields.push_back(input(tag));
  } else if (tag.name == "textarea" || tag.name == "select") {
    form.fields.push_back({FieldKind::hidden, tag.get("name"), "", tag.name});
  } else if (tag.name == "button" && wire::to_lower(tag.get("type", "submit")) == "submit") {
    form.fields.push_back({FieldKind::button, tag.get("name"), tag.get("value"), decode_entities(text_after)});
  } else if (tag.name == "option" && !form.fields.empty() && form.fields.back().label == "select") {
    HtmlField& select = form.fields.back();
    if (select.value.empty() || tag.find("selected")) select.value = tag.get("value", text_after);
  }
}

}  // namespace

const HtmlField* HtmlForm::first(FieldKind kind) const noexcept {
  for (const HtmlField& field : fields) {
    if (field.kind == kind) return &field;
  }
  return nullptr;
}

std::vector<HtmlForm> forms_in(std::string_view html) {
  std::vector<HtmlForm> forms;
  TagReader reader{html.substr(0, bytes_max)};
  bool is_inside = false;
  for (Tag tag; reader.next(tag);) {
    if (tag.name == "form") {
      if (forms.size() == forms_max) break;
      const bool is_post = wire::equal_ignoring_case(tag.get("method"), "post");
      forms.push_back({tag.get("action"), is_post ? "post" : "get", {}});
      is_inside = true;
    } else if (tag.name == "/form") {
      is_inside = false;
    } else if (is_inside) {
      add_to(forms.back(), tag, reader.text());
    }
  }
  return forms;
}

std::string decode_entities(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> names = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  std::string decoded;
  while (!text.empty()) {
    const char first = text.front();
    text.remove_prefix(1);
    const auto end = first == '&' ? text.substr(0, entity_bytes_max).find(';') : std::string_view::npos;
    if (end == std::string_view::npos) {
      decoded += first;
      continue;
    }
    std::string_view name = text.substr(0, end);
    char meant = 0;
    for (const auto& [known, character] : names) meant = known == name ? character : meant;
    if (name.starts_with('#')) {
      const bool is_hex = name.substr(1).starts_with('x') || name.substr(1).starts_with('X');
      int number = 0;
      std::from_chars(name.data() + (is_hex ? 2 : 1), name.data() + name.size(), number, is_hex ? 16 : 10);
      if (number > 0 && number < 128) meant = static_cast<char>(number);
    }
    if (meant == 0) {
      decoded += first;
      continue;
    }
    decoded += meant;
    text.remove_prefix(end + 1);
  }
  return decoded;
}

}  // namespace troupe::attack
