// Forms: application/x-www-form-urlencoded, as bodies and as queries (RFC 6749, appendix B).
//
// Parameters keep their order and their duplicates, so the reader can refuse them. Every
// name and value is valid UTF-8 without NUL; what is not is a named error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::wire {

struct FormLimits {
  std::size_t bytes_max = 56 * 1024;  // the whole form
  std::size_t parameters_max = 64;
  std::size_t value_bytes_max = 8 * 1024;  // one name or value, decoded
};

enum class FormError : std::uint8_t {
  too_large,  // the whole form
  too_many_parameters,
  value_too_large,
  bad_escape,  // '%' without two hexadecimal digits
  not_utf8,
  nul_byte,
};

/// The name of the error, for messages and logs: "not_utf8".
std::string_view text(FormError error) noexcept;

class Form {
 public:
  struct Parameter {
    std::string name;
    std::string value;

    friend bool operator==(const Parameter&, const Parameter&) = default;
  };

  Form() = default;
  Form(std::initializer_list<Parameter> parameters) : parameters_(parameters) {}

  void add(std::string name, std::string value) { parameters_.push_back({std::move(name), std::move(value)}); }

  /// Leaves out what has no value.
  void remove_empty() {
    std::erase_if(parameters_, [](const Parameter& one) { return one.value.empty(); });
  }

  /// The value of the first parameter of that name. Valid until the form changes.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  std::size_t count(std::string_view name) const noexcept;

  /// The first name that occurs twice, if any.
  std::optional<std::string_view> duplicate() const noexcept;

  auto begin() const noexcept { return parameters_.begin(); }
  auto end() const noexcept { return parameters_.end(); }
  std::size_t size() const noexcept { return parameters_.size(); }
  bool empty() const noexcept { return parameters_.empty(); }

  friend bool operator==(const Form&, const Form&) = default;

 private:
  std::vector<Parameter> parameters_;
};

/// Reads "a=1&b=x+y". A parameter without '=' has the value ""; empty pieces between '&' are skipped.
std::expected<Form, FormError> parse_form(std::string_view text, FormLimits limits = {});

/// One name or value, as parse_form reads it: '+' is a space, %XX a byte.
std::expected<std::string, FormError> form_decode(std::string_view text);

/// One name or value: a space becomes '+', all but letters, digits and "-._*" becomes %XX.
std::string form_encode(std::string_view bytes);

/// "a=1&b=x+y"; reads back as the same form when that has no parameter without name and value.
std::string write_form(const Form& form);

/// `url` with the form's parameters added to its query, before a fragment; what was there stays as it is.
std::string add_query(std::string_view url, const Form& form);

}  // namespace troupe::wire
