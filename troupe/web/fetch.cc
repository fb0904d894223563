// See fetch.h. The one place of this room that knows libcurl.
#include "troupe/web/fetch.h"

#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <utility>

#include "troupe/late/curl.h"
#include "troupe/net/public_address.h"
#include "troupe/net/socket_address.h"
#include "troupe/wire/url.h"

namespace troupe::web {
namespace {

using late::add_line;
using late::curl;
using late::CurlEasy;
using late::CurlList;

/// A request on its way, at a fixed address, which libcurl's callbacks know.
struct Transfer {
  const FetchRules* rules;
  bool is_plain = false;  // http without TLS
  std::size_t head_bytes = 0;
  bool may_be_cut = false;  // what was told is taken with the status, whatever words follow
  bool is_cut = false;
  std::string body;
  std::optional<FetchFault> fault;

  bool may_reach(const net::IpAddress& address) const {
    if (rules->reach == FetchRules::Reach::anywhere) return true;
    if (net::contains_any(rules->unsafe_allowed, address)) return true;
    return !is_plain && net::is_public(address);
  }
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::size_t bytes = size * count;
  if (bytes > transfer.rules->body_bytes_max - transfer.body.size()) {
    transfer.is_cut = transfer.may_be_cut;
    if (!transfer.is_cut) transfer.fault = FetchFault::too_large;
    return 0;  // which ends the transfer
  }
  transfer.body.append(data, bytes);
  return bytes;
}

std::size_t take_field(char*, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::size_t bytes = size * count;
  transfer.head_bytes += bytes;
  if (transfer.head_bytes <= transfer.rules->head_bytes_max) return bytes;
  transfer.fault = FetchFault::too_large;
  return 0;
}

/// Before the connection: a socket to an address of the inside is not even opened, so that nobody can find out by us
/// who is listening there.
curl_socket_t open_socket(void* context, curlsocktype purpose, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(context);
  net::SocketAddress to;
  if (address->addrlen > *to.size_pointer()) return CURL_SOCKET_BAD;
  std::memcpy(to.get(), &address->addr, address->addrlen);
  const bool is_ip = address->family == AF_INET || address->family == AF_INET6;
  if (purpose != CURLSOCKTYPE_IPCXN || !is_ip || !transfer.may_reach(to.endpoint().ip)) {
    transfer.fault = FetchFault::forbidden_address;
    return CURL_SOCKET_BAD;
  }
  transfer.fault.reset();  // another address of the same name may have been refused before
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Once the connection stands, and before a byte of the request has left: who is it really.
int check_peer(void* context, char* peer, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(context);
  const auto address = net::IpAddress::parse(peer != nullptr ? peer : "");
  if (address && transfer.may_reach(*address)) return CURL_PREREQFUNC_OK;
  transfer.fault = FetchFault::forbidden_address;
  return CURL_PREREQFUNC_ABORT;
}

FetchFault fault_of(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_LOGIN_DENIED:
      return FetchFault::bad_url;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return FetchFault::untrusted;
    case CURLE_OPERATION_TIMEDOUT:
      return FetchFault::too_slow;
    case CURLE_FILESIZE_EXCEEDED:
      return FetchFault::too_large;
    default:
      return FetchFault::unreachable;
  }
}

void bound(CURL* easy, Transfer& transfer) {
  const FetchRules& rules = *transfer.rules;
  curl().easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl().easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(rules.within);
  curl().easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // else the end waits for a name server that does not answer
  curl().easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds.count()));
  curl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl().easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl().easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_field);
  curl().easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  if (rules.reach == FetchRules::Reach::anywhere) return;
  curl().easy_setopt(easy, CURLOPT_PROXY, "");  // behind one nobody would see whom it connects to
  curl().easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl().easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl().easy_setopt(easy, CURLOPT_PREREQFUNCTION, check_peer);
  curl().easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
}

}  // namespace

std::string_view text(FetchFault fault) noexcept {
  switch (fault) {
    case FetchFault::bad_url:
      return "bad_url";
    case FetchFault::forbidden_address:
      return "forbidden_address";
    case FetchFault::unreachable:
      return "unreachable";
    case FetchFault::untrusted:
      return "untrusted";
    case FetchFault::too_slow:
      return "too_slow";
    case FetchFault::too_large:
      return "too_large";
  }
  std::unreachable();
}

std::expected<Fetched, FetchFault> fetch_and_wait(const Fetch& request, const FetchRules& rules) {
  const auto url = wire::parse_url(request.url);
  const bool is_web = url && (url->scheme == "https" || url->scheme == "http");
  if (!is_web || url->userinfo) return std::unexpected(FetchFault::bad_url);
  const bool is_plain = url->scheme == "http";
  const bool may_be_plain = rules.reach == FetchRules::Reach::anywhere || !rules.unsafe_allowed.empty();
  if (is_plain && !may_be_plain) return std::unexpected(FetchFault::bad_url);

  const CurlEasy easy{curl().easy_init()};
  if (!easy) throw std::runtime_error{"libcurl cannot begin"};
  Transfer transfer{.rules = &rules, .is_plain = is_plain, .may_be_cut = !request.body.empty()};
  bound(easy.get(), transfer);
  curl().easy_setopt(easy.get(), CURLOPT_URL, request.url.c_str());
  curl().easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, is_plain ? "http" : "https");
  CurlList fields;
  add_line(fields, "Accept: application/json, */*;q=0.5");
  if (!request.body.empty()) {
    add_line(fields, "Content-Type: " + request.content_type);
    for (const std::string& header : request.headers) add_line(fields, header);
    add_line(fields, "Expect:");
    curl().easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl().easy_setopt(easy.get(), CURLOPT_POSTFIELDS, request.body.data());
  }
  curl().easy_setopt(easy.get(), CURLOPT_HTTPHEADER, fields.get());
  const CURLcode result = curl().easy_perform(easy.get());
  if (result != CURLE_OK && !transfer.is_cut) return std::unexpected(transfer.fault.value_or(fault_of(result)));
  long status = 0;
  curl().easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return Fetched{static_cast<int>(status), std::move(transfer.body)};
}

}  // namespace troupe::web
