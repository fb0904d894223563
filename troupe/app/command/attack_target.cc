// See attack_target.h.
#include "troupe/app/command/attack_target.h"

#include <fmt/format.h>

#include <array>

#include "troupe/app/config/toml.h"
#include "troupe/app/config/value.h"
#include "troupe/net/address.h"
#include "troupe/wire/url.h"

namespace troupe::app {
namespace {

using attack::KnownClient;
using attack::KnownUser;
using attack::TargetOptions;
using Seconds = std::optional<std::chrono::seconds>;

/// Sets a member of a client; false where it has none of that name, or the text is none of its values.
bool set_in_client(KnownClient& client, std::string_view member, const std::string& text) {
  if (member == "id") return client.id = text, true;
  if (member == "secret") return client.secret = base::Secret<std::string>{text}, true;
  if (member == "redirect_uri") return client.redirect_uri = text, true;
  if (member == "another_redirect_uri") return client.another_redirect_uri = text, true;
  if (member == "scope") return client.scope = text, true;
  if (member != "sends" || (text != "basic" && text != "post")) return false;
  client.sends = text == "post" ? KnownClient::Sends::post : KnownClient::Sends::basic;
  return true;
}

bool set_in_user(KnownUser& user, std::string_view member, const std::string& text) {
  if (member == "name") return user.name = text, true;
  if (member == "password") return user.password = attack::Password{text}, true;
  return false;
}

bool set_duration(Seconds& to, const std::string& text) {
  const auto duration = parse_duration(text);
  if (duration) to = std::chrono::ceil<std::chrono::seconds>(*duration);
  return duration.has_value();
}

bool set(TargetOptions& options, std::string_view name, const std::string& text) {
  const std::array<std::pair<std::string_view, KnownClient*>, 5> clients = {
      {{"client", &options.client},
       {"other_client", &options.other_client},
       {"public_client", &options.public_client},
       {"machine", &options.machine},
       {"resource_server", &options.resource_server}}};
  const auto dot = name.find('.');
  const auto table = name.substr(0, dot);
  const auto member = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
  for (const auto& [known, client] : clients) {
    if (known == table) return set_in_client(*client, member, text);
  }
  if (table == "user") return set_in_user(options.user, member, text);
  if (table == "victim") return set_in_user(options.victim, member, text);
  if (name == "disabled_client") return options.disabled_client = text, true;
  if (name == "registration_token") return options.registration_token = base::Secret<std::string>{text}, true;
  if (name == "admin_url") return options.admin_url = text, true;
  if (name == "code_lifetime") return set_duration(options.code_lifetime, text);
  if (name == "refresh_grace") return set_duration(options.refresh_grace, text);
  return false;
}

}  // namespace

std::expected<TargetOptions, std::string> read_attack_target(const std::string& toml) {
  auto values = read_toml(toml);
  if (!values) return std::unexpected(fmt::format("line {}: {}", values.error().line, values.error().what));
  TargetOptions options;
  for (const TomlValue& value : *values) {
    const auto* text = value.value ? std::get_if<std::string>(&*value.value) : nullptr;
    if (text == nullptr || !set(options, value.name, *text))
      return std::unexpected(
          fmt::format("line {}: {} is not known here, or not with such a value", value.line, value.name));
  }
  return options;
}

bool is_own_machine(std::string_view text) {
  const auto url = wire::parse_url(text);
  if (!url || url->userinfo) return false;
  std::string_view host = url->host;
  if (host == "localhost") return true;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const auto address = net::IpAddress::parse(host);
  return address && address->is_loopback();
}

}  // namespace troupe::app
