// Clients: the applications that may ask for tokens.
#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "troupe/oauth/admin/answer.h"
#include "troupe/oauth/admin/calls.h"
#include "troupe/oauth/admin/client_document.h"
#include "troupe/oauth/admin/filter.h"
#include "troupe/oauth/admin/page.h"
#include "troupe/oauth/admin/request.h"
#include "troupe/web/conditional.h"

namespace troupe::oauth::admin {
namespace {

constexpr int id_place = 3;
constexpr std::chrono::seconds overlap_usual{24 * 3600};  // to bring a new secret to where the client runs
constexpr std::chrono::seconds overlap_max{30 * 24 * 3600};

std::string etag_of(const Client& client) { return fmt::format("\"{}\"", client.version); }

web::Response answer_client(int status, const Client& client, const std::optional<ClientSecret>& secret = {}) {
  std::string json;
  wire::JsonWriter writer{json};
  write_client(writer, client, secret);
  auto response = answer(status, std::move(json));
  response.headers.set("ETag", etag_of(client));
  return response;
}

/// Those up to the end of the page, whose rows must be mended by hand; nothing where there are none.
void write_damaged(wire::JsonWriter& writer, const std::vector<DamagedClient>& damaged,
                   const std::optional<std::string>& end) {
  const auto is_here = [&](const DamagedClient& each) { return !end || each.id.value() <= *end; };
  if (std::ranges::none_of(damaged, is_here)) return;
  writer.key("damaged").begin_array();
  for (const DamagedClient& each : damaged | std::views::filter(is_here))
    writer.begin_object().member("client_id", each.id.value()).member("why", each.why).end_object();
  writer.end_array();
}

/// The client that the path names, null where there is none; or what to answer when nobody can tell.
Task<Read<ClientPtr>> client_of(ServicePtr service, web::Request http) {
  auto client = co_await service->clients.ask(GetClient{ClientId{segment(http, id_place)}});
  if (!client) co_return std::unexpected(problem_of_failure(client.error()));
  co_return *std::move(client);
}

/// How long the secret before stays good: `overlap` of the body, in seconds; a body is not needed.
Read<std::chrono::seconds> read_overlap(const web::Request& http) {
  if (http.body.empty()) return overlap_usual;
  auto body = read_body(http, {"overlap"});
  if (!body) return std::unexpected(std::move(body.error()));
  const wire::Json* overlap = body->find("overlap");
  if (overlap == nullptr) return overlap_usual;
  const std::int64_t* seconds = overlap->integer();
  if (seconds == nullptr || *seconds < 0 || *seconds > overlap_max.count()) {
    return std::unexpected(problem_of(errors::invalid_request, "The member `overlap` is 0 to 2592000 seconds."));
  }
  return std::chrono::seconds{*seconds};
}

/// What became of a client that was there a moment ago.
web::Response problem_of_change(const actor::Failure<OauthError>& failure) {
  const bool is_gone = failure.domain == errors::invalid_client;
  return is_gone ? problem_of(errors::not_found) : problem_of_failure(failure);
}

}  // namespace

Task<web::Response> list_clients(ServicePtr service, Caller, web::Request http) {
  auto query = read_query(http, {"limit", "after"});
  if (!query) co_return std::move(query.error());
  auto wanted = read_page(*query, "clients");
  if (!wanted) co_return std::move(wanted.error());
  auto page = co_await service->clients.ask(
      ListClientPage{ClientId{wanted->after.value_or("")}, wanted->limit, page_bytes_max});
  if (!page) co_return problem_of(errors::temporarily_unavailable);
  const auto id_of_client = [](const ClientPtr& client) { return client->id.value(); };
  std::optional<std::string> last;
  if (page->rest == ClientPage::Rest::more) last = page->last.value();
  co_return answer_page(
      "clients", page->clients, std::move(last), id_of_client,
      [](wire::JsonWriter& writer, const ClientPtr& client) { write_client(writer, *client); },
      [&](wire::JsonWriter& writer, const auto& end) { write_damaged(writer, page->damaged, end); });
}

Task<web::Response> create_client(ServicePtr service, Caller caller, web::Request http) {
  auto body = read_body(http, client_members);  // 1. what is wanted
  if (!body) co_return std::move(body.error());
  Client wanted;
  if (const auto applied = apply(*body, wanted); !applied) co_return problem_of(applied.error());
  if (wanted.state == ClientState::disabled) {
    co_return problem_of(errors::invalid_client_metadata, "A client is enabled when it is made.");
  }

  auto lacking = beyond(caller, powers_of(wanted.metadata));  // 2. may the caller give as much
  if (lacking) co_return co_await refuse(service, caller, *std::move(lacking));

  auto made = co_await service->clients.ask(RegisterClient{// 3. its record
                                                           .metadata = std::move(wanted.metadata),
                                                           .managed = RegisterClient::Managed::by_operator,
                                                           .cause = caller.cause});
  if (!made) co_return problem_of_failure(made.error());
  auto response = answer_client(201, *made->client, made->secret);
  response.headers.set("Location", fmt::format("/admin/v1/clients/{}", made->client->id.value()));
  co_return response;
}

Task<web::Response> show_client(ServicePtr service, Caller, web::Request http) {
  auto client = co_await client_of(service, http);
  if (!client) co_return std::move(client.error());
  if (!*client) co_return problem_of(errors::not_found);
  if (web::is_known(http, etag_of(**client))) co_return not_changed(etag_of(**client));
  co_return answer_client(200, **client);
}

Task<web::Response> update_client(ServicePtr service, Caller caller, web::Request http) {
  auto before = co_await client_of(service, http);  // 1. of which version
  if (!before) co_return std::move(before.error());
  if (!*before) co_return problem_of(errors::not_found);
  const web::Seen seen = web::seen(http, etag_of(**before));
  if (seen == web::Seen::unsaid) co_return problem_of(errors::condition_missing);
  if (seen == web::Seen::other) co_return problem_of(errors::changed_meanwhile);

  auto body = read_body(http, client_members, BodyType::merge_patch);  // 2. what is wanted
  if (!body) co_return std::move(body.error());
  Client wanted = **before;
  if (const auto applied = apply(*body, wanted); !applied) co_return problem_of(applied.error());
  if (wanted.is_public() != (*before)->is_public()) {
    co_return problem_of(errors::invalid_client_metadata, "A client stays public or confidential: make another one.");
  }

  auto lacking =  // 3. may the caller
      beyond(caller, powers_of((*before)->metadata).united_with(powers_of(wanted.metadata)));
  if (lacking) co_return co_await refuse(service, caller, *std::move(lacking));

  auto updated = co_await service->clients.ask(UpdateClient{.id = wanted.id,  // 4. unless it has changed meanwhile
                                                            .metadata = std::move(wanted.metadata),
                                                            .state = wanted.state,
                                                            .version = (*before)->version,
                                                            .cause = caller.cause});
  if (!updated) co_return problem_of_change(updated.error());
  co_return answer_client(200, **updated);
}

Task<web::Response> delete_client(ServicePtr service, Caller caller, web::Request http) {
  auto dry_run = read_dry_run(http);
  if (!dry_run) co_return std::move(dry_run.error());
  auto before = co_await client_of(service, http);
  if (!before) co_return std::move(before.error());
  const web::Seen seen = web::seen(http, *before ? etag_of(**before) : "");
  if (!*before) co_return seen == web::Seen::unsaid ? no_content() : problem_of(errors::changed_meanwhile);
  if (seen == web::Seen::other) co_return problem_of(errors::changed_meanwhile);
  auto lacking = beyond(caller, powers_of((*before)->metadata));
  if (lacking) co_return co_await refuse(service, caller, *std::move(lacking));
  if (*dry_run) co_return co_await answer_grants(std::move(service), {.client = (*before)->id}, **dry_run);

  // Of this version in any case: one that got more scopes meanwhile is not to be judged by those it had.
  auto deleted = co_await service->clients.ask(
      DeleteClient{.id = (*before)->id, .version = (*before)->version, .cause = caller.cause});
  const bool is_gone = !deleted && deleted.error().domain == errors::invalid_client;
  if (!deleted && !is_gone) co_return problem_of_failure(deleted.error());
  co_return no_content();
}

Task<web::Response> renew_secret(ServicePtr service, Caller caller, web::Request http) {
  auto client = co_await client_of(service, http);
  if (!client) co_return std::move(client.error());
  if (!*client) co_return problem_of(errors::not_found);
  auto lacking = beyond(caller, powers_of((*client)->metadata));
  if (lacking) co_return co_await refuse(service, caller, *std::move(lacking));
  auto overlap = read_overlap(http);
  if (!overlap) co_return std::move(overlap.error());
  auto fresh = co_await service->clients.ask(RenewClientSecret{
      .id = (*client)->id, .overlap = *overlap, .version = (*client)->version, .cause = caller.cause});
  if (!fresh) co_return problem_of_change(fresh.error());
  std::string json;
  wire::JsonWriter{json}
      .begin_object()
      .member("client_id", (*client)->id.value())
      .member("client_secret", fresh->secret.expose())
      .member("client_secret_expires_at", 0)  // never
      .end_object();
  co_return answer(201, std::move(json));
}

}  // namespace troupe::oauth::admin
