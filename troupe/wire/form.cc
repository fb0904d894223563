// Forms: pieces between '&', names and values at the first '=', each decoded on its own.
#include "troupe/wire/form.h"

#include <algorithm>

#include "troupe/wire/ascii.h"
#include "troupe/wire/url.h"
#include "troupe/wire/utf8.h"

namespace troupe::wire {
namespace {

using Failure = std::unexpected<FormError>;

/// Whether it stands for itself: no '+', no escape, nothing beyond ASCII, and no NUL. All of it is looked at, many
/// characters at a time.
bool is_plain(std::string_view text) noexcept {
  bool special = false;
  for (const char c : text) special |= (c == '+') | (c == '%') | (static_cast<signed char>(c) <= 0);
  return !special;
}

}  // namespace

std::string_view text(FormError error) noexcept {
  switch (error) {
    case FormError::too_large:
      return "too_large";
    case FormError::too_many_parameters:
      return "too_many_parameters";
    case FormError::value_too_large:
      return "value_too_large";
    case FormError::bad_escape:
      return "bad_escape";
    case FormError::not_utf8:
      return "not_utf8";
    case FormError::nul_byte:
      return "nul_byte";
  }
  return "";
}

std::optional<std::string_view> Form::get(std::string_view name) const noexcept {
  auto found = std::ranges::find(parameters_, name, &Parameter::name);
  if (found == parameters_.end()) return std::nullopt;
  return found->value;
}

std::size_t Form::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::ranges::count(parameters_, name, &Parameter::name));
}

std::optional<std::string_view> Form::duplicate() const noexcept {
  for (auto one = parameters_.begin(); one != parameters_.end(); ++one) {
    if (std::ranges::find(one + 1, parameters_.end(), one->name, &Parameter::name) != parameters_.end())
      return one->name;
  }
  return std::nullopt;
}

std::expected<std::string, FormError> form_decode(std::string_view text) {
  if (is_plain(text)) return std::string{text};
  std::string spaced{text};
  std::ranges::replace(spaced, '+', ' ');
  auto decoded = percent_decode(spaced);
  if (!decoded) return Failure{FormError::bad_escape};
  if (decoded->contains('\0')) return Failure{FormError::nul_byte};
  if (!is_utf8(*decoded)) return Failure{FormError::not_utf8};
  return std::move(*decoded);
}

std::expected<Form, FormError> parse_form(std::string_view text, FormLimits limits) {
  if (text.size() > limits.bytes_max) return Failure{FormError::too_large};
  Form form;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    if (piece.empty()) continue;
    if (form.size() == limits.parameters_max) return Failure{FormError::too_many_parameters};

    std::size_t equals = std::min(piece.find('='), piece.size());
    auto name = form_decode(piece.substr(0, equals));
    if (!name) return Failure{name.error()};
    auto value = form_decode(piece.substr(std::min(equals + 1, piece.size())));
    if (!value) return Failure{value.error()};
    if (std::max(name->size(), value->size()) > limits.value_bytes_max) return Failure{FormError::value_too_large};
    form.add(std::move(*name), std::move(*value));
  }
  return form;
}

std::string form_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (char c : bytes) {
    if (is_alphanumeric(c) || std::string_view{"-._*"}.contains(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      append_percent(out, c);
    }
  }
  return out;
}

std::string write_form(const Form& form) {
  std::string out;
  for (const auto& [name, value] : form) {
    if (!out.empty()) out += '&';
    out.append(form_encode(name)).append("=").append(form_encode(value));
  }
  return out;
}

std::string add_query(std::string_view url, const Form& form) {
  std::size_t fragment_at = std::min(url.find('#'), url.size());
  std::string out{url.substr(0, fragment_at)};
  if (!form.empty()) {
    std::size_t query_at = out.find('?');
    if (query_at == std::string::npos) {
      out += '?';
    } else if (query_at + 1 != out.size() && out.back() != '&') {
      out += '&';
    }
    out += write_form(form);
  }
  out += url.substr(fragment_at);
  return out;
}

}  // namespace troupe::wire
