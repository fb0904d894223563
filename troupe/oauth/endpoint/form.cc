// See form.h.
#include "troupe/oauth/endpoint/form.h"

#include "troupe/wire/ascii.h"

namespace troupe::oauth {
namespace {

bool is_of_type(const web::Request& request, std::string_view wanted) {
  if (request.headers.count("content-type") != 1) return false;
  std::string_view type = request.header("content-type");
  return wire::equal_ignoring_case(wire::trim(type.substr(0, type.find(';'))), wanted);
}

OauthError error_of(wire::FormError error) {
  if (error == wire::FormError::too_large) return errors::too_large.because("The form is too large.");
  return errors::invalid_request.because("The form is malformed.");
}

}  // namespace

std::expected<wire::Form, OauthError> read_whole_form(const web::Request& request) {
  if (!is_form(request)) {
    return std::unexpected(
        errors::invalid_request.because("The content type must be application/x-www-form-urlencoded."));
  }
  auto form = wire::parse_form(request.body);
  if (!form) return std::unexpected(error_of(form.error()));
  return *std::move(form);
}

std::expected<wire::Form, OauthError> read_form(const web::Request& request) {
  auto form = read_whole_form(request);
  if (!form) return form;
  const auto query = wire::parse_form(request.query);
  for (const auto& [name, value] : *form) {
    const bool is_twice = (name != "resource" && form->count(name) > 1) || (query && query->count(name) > 0);
    if (is_twice) return std::unexpected(errors::invalid_request.because("A parameter comes twice."));
  }
  form->remove_empty();
  return form;
}

Cause cause_of(const web::Request& request) { return {.request = request.request_id, .by = {}}; }

bool is_form(const web::Request& request) { return is_of_type(request, "application/x-www-form-urlencoded"); }

bool is_json(const web::Request& request) { return is_of_type(request, "application/json"); }

std::string parameter(const wire::Form& form, std::string_view name) {
  return std::string{form.get(name).value_or("")};
}

std::vector<std::string> resources_in(const wire::Form& form) {
  std::vector<std::string> resources;
  for (const auto& [name, value] : form) {
    if (name == "resource") resources.push_back(value);
  }
  return resources;
}

}  // namespace troupe::oauth
