// See curl_transport.h. The one place of this room that knows libcurl.
#include "troupe/attack/http/curl_transport.h"

#include <poll.h>

#include <stdexcept>

#include "troupe/base/check.h"
#include "troupe/late/curl.h"
#include "troupe/wire/ascii.h"

namespace troupe::attack {
namespace {

using namespace std::chrono_literals;
using late::add_line;
using late::curl;
using late::CurlEasy;
using late::CurlList;
using late::CurlMulti;

constexpr std::size_t body_bytes_max = 1024 * 1024;
constexpr std::size_t fields_max = 200;
constexpr int raw_silence_ms = 2000;

/// One request on its way. At a fixed address, which libcurl writes to.
struct Transfer {
  CurlEasy easy;
  CurlList fields;
  Request request;
  Answer answer;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* transfer) {
  std::string& body = static_cast<Transfer*>(transfer)->answer.body;
  body.append(data, std::min(size * count, body_bytes_max - body.size()));
  return size * count;
}

std::size_t take_field(char* data, std::size_t size, std::size_t count, void* transfer) {
  Answer& answer = static_cast<Transfer*>(transfer)->answer;
  std::string_view line{data, size * count};
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) answer.fields.clear();  // an interim answer came before
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && !line.starts_with("HTTP/") && answer.fields.size() < fields_max)
    answer.fields.push_back({std::string{line.substr(0, colon)}, std::string{wire::trim(line.substr(colon + 1))}});
  return size * count;
}

CurlEasy make_easy(const CurlOptions& options, const std::string& url) {
  CurlEasy easy{curl().easy_init()};
  if (!easy) throw std::runtime_error{"libcurl cannot begin"};
  curl().easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl().easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl().easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl().easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(easy.get(), CURLOPT_PATH_AS_IS, 1L);
  curl().easy_setopt(easy.get(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl().easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(options.patience / 1ms));
  if (!options.ca_file.empty()) curl().easy_setopt(easy.get(), CURLOPT_CAINFO, options.ca_file.c_str());
  return easy;
}

std::unique_ptr<Transfer> make_transfer(const CurlOptions& options, const Request& request) {
  auto transfer = std::make_unique<Transfer>(make_easy(options, request.url), CurlList{}, request, Answer{});
  CURL* easy = transfer->easy.get();
  add_line(transfer->fields, "Expect:");
  add_line(transfer->fields, "Accept: text/html, application/json, */*");
  bool has_type = false;
  for (const Field& field : request.fields) {
    has_type = has_type || wire::equal_ignoring_case(field.name, "content-type");
    add_line(transfer->fields, field.name + (field.value.empty() ? ";" : ": " + field.value));
  }
  if (!has_type) add_line(transfer->fields, "Content-Type:");
  if (request.method == "HEAD") curl().easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl().easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer->request.body.size()));
    curl().easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->request.body.data());
  }
  curl().easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->request.method.c_str());
  curl().easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->fields.get());
  curl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl().easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
  curl().easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_field);
  curl().easy_setopt(easy, CURLOPT_HEADERDATA, transfer.get());
  curl().easy_setopt(easy, CURLOPT_PRIVATE, transfer.get());
  return transfer;
}

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(CurlOptions options) : options_(std::move(options)), multi_(curl().multi_init()) {
    if (!multi_) throw std::runtime_error{"libcurl cannot begin"};
    curl().multi_setopt(multi_.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  }

  std::vector<Answer> send_at_once(const std::vector<Request>& requests) override {
    std::vector<std::unique_ptr<Transfer>> transfers;
    for (const Request& request : requests) {
      transfers.push_back(make_transfer(options_, request));
      curl().multi_add_handle(multi_.get(), transfers.back()->easy.get());
    }
    run();
    std::vector<Answer> answers;
    for (auto& transfer : transfers) {
      curl().multi_remove_handle(multi_.get(), transfer->easy.get());
      answers.push_back(std::move(transfer->answer));
    }
    return answers;
  }

  std::string send_raw(const std::string& origin, const std::string& bytes) override {
    const CurlEasy easy = make_easy(options_, origin);
    curl().easy_setopt(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
    if (curl().easy_perform(easy.get()) != CURLE_OK) return {};
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl().easy_getinfo(easy.get(), CURLINFO_ACTIVESOCKET, &socket);
    if (!write(easy.get(), socket, bytes)) return {};
    return read(easy.get(), socket);
  }

  void wait(base::Duration duration) override { (void)::poll(nullptr, 0, static_cast<int>(duration / 1ms)); }

 private:
  /// Until every transfer has its answer or its failure.
  void run() {
    int running = 1;
    while (running > 0) {
      if (curl().multi_perform(multi_.get(), &running) != CURLM_OK) throw std::runtime_error{"libcurl failed"};
      int left = 0;
      while (const CURLMsg* message = curl().multi_info_read(multi_.get(), &left)) end(*message);
      if (running > 0) curl().multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
    }
  }

  static void end(const CURLMsg& message) {
    Transfer* transfer = nullptr;
    curl().easy_getinfo(message.easy_handle, CURLINFO_PRIVATE, &transfer);
    INVARIANT(transfer != nullptr, "each handle has its transfer");
    long status = 0;
    curl().easy_getinfo(message.easy_handle, CURLINFO_RESPONSE_CODE, &status);
    transfer->answer.status = message.data.result == CURLE_OK ? static_cast<int>(status) : 0;
    if (message.data.result != CURLE_OK) transfer->answer.failure = curl().easy_strerror(message.data.result);
  }

  static bool is_ready(curl_socket_t socket, short what) {
    pollfd ready{socket, what, 0};
    return ::poll(&ready, 1, raw_silence_ms) > 0;
  }

  static bool write(CURL* easy, curl_socket_t socket, std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t sent = 0;
      const CURLcode result = curl().easy_send(easy, bytes.data(), bytes.size(), &sent);
      if (result == CURLE_AGAIN && is_ready(socket, POLLOUT)) continue;
      if (result != CURLE_OK) return false;
      bytes.remove_prefix(sent);
    }
    return true;
  }

  static std::string read(CURL* easy, curl_socket_t socket) {
    std::string answer;
    while (answer.size() < body_bytes_max) {
      char some[16 * 1024];
      std::size_t count = 0;
      const CURLcode result = curl().easy_recv(easy, some, sizeof some, &count);
      if (result == CURLE_AGAIN && is_ready(socket, POLLIN)) continue;
      if (result != CURLE_OK || count == 0) break;
      answer.append(some, count);
    }
    return answer;
  }

  CurlOptions options_;
  CurlMulti multi_;
};

}  // namespace

std::unique_ptr<Transport> curl_transport(CurlOptions options) {
  return std::make_unique<CurlTransport>(std::move(options));
}

}  // namespace troupe::attack
