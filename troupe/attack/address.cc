// See address.h.
#include "troupe/attack/address.h"

#include "troupe/wire/url.h"

namespace troupe::attack {
namespace {

constexpr wire::FormLimits generous{.bytes_max = 1024 * 1024, .parameters_max = 256, .value_bytes_max = 256 * 1024};

}  // namespace

std::string resolve(std::string_view base, std::string_view reference) {
  if (wire::parse_url(reference)) return std::string{reference};
  const std::string origin = origin_of(base);
  if (reference.starts_with("//")) return std::string{base.substr(0, base.find("//"))} + std::string{reference};
  if (reference.starts_with('/')) return origin + std::string{reference};
  const std::string_view page = base.substr(0, base.find_first_of("?#"));
  if (reference.empty()) return std::string{page};
  if (reference.starts_with('?')) return std::string{page} + std::string{reference};
  const auto slash = page.rfind('/');
  if (slash < origin.size() || slash == std::string_view::npos) return origin + "/" + std::string{reference};
  return std::string{page.substr(0, slash + 1)} + std::string{reference};
}

std::string origin_of(std::string_view url) {
  const auto parsed = wire::parse_url(url);
  return parsed && parsed->has_authority ? parsed->origin() : std::string{};
}

wire::Form query_of(std::string_view url) {
  const auto mark = url.find('?');
  if (mark == std::string_view::npos) return {};
  const auto query = url.substr(mark + 1);
  auto form = wire::parse_form(query.substr(0, query.find('#')), generous);
  return form ? *std::move(form) : wire::Form{};
}

std::string value_in(const wire::Form& form, std::string_view name) { return std::string{form.get(name).value_or("")}; }

wire::Form with(const wire::Form& form, std::string_view name, std::string value) {
  wire::Form changed = without(form, name);
  changed.add(std::string{name}, std::move(value));
  return changed;
}

wire::Form without(const wire::Form& form, std::string_view name) {
  wire::Form rest;
  for (const auto& parameter : form) {
    if (parameter.name != name) rest.add(parameter.name, parameter.value);
  }
  return rest;
}

}  // namespace troupe::attack
