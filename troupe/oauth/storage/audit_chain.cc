// See audit_chain.h. The bytes are a format: whoever changes them makes every older trail unverifiable.
#include "troupe/oauth/storage/audit_chain.h"

#include <chrono>
#include <string>
#include <string_view>

namespace troupe::oauth {
namespace {

using namespace std::chrono_literals;

/// Values behind each other, each so that no two lists of values give the same bytes.
class CanonicalBytes {
 public:
  explicit CanonicalBytes(std::string_view format) {
    bytes_.reserve(512);  // what most events take
    bytes_ += format;
  }

  void add(std::int64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes_ += static_cast<char>(number >> shift);
  }
  void add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    bytes_ += text;
  }
  void add(const std::optional<std::string_view>& text) {
    bytes_ += text ? '\1' : '\0';
    if (text) add(*text);
  }
  crypto::Digest hash() const { return crypto::sha256(bytes_); }

 private:
  std::string bytes_;
};

std::int64_t day_of(base::UnixTime time) noexcept { return time.seconds() / (24 * 3600); }

}  // namespace

crypto::Digest hash_of(const AuditRow& row, const crypto::Digest& before) {
  using Maybe = std::optional<std::string_view>;
  const AuditEvent& event = row.event;
  CanonicalBytes bytes{"troupe audit event 1\n"};
  bytes.add(before.view());
  bytes.add(row.segment);
  bytes.add(row.place);
  bytes.add(event.id.view());
  bytes.add(std::string_view{event.kind});
  bytes.add(event.client ? Maybe{event.client->value()} : std::nullopt);
  bytes.add(event.user ? Maybe{*event.user} : std::nullopt);
  bytes.add(event.family ? Maybe{event.family->value()} : std::nullopt);
  bytes.add(event.token ? Maybe{event.token->view()} : std::nullopt);
  bytes.add(std::string_view{event.reason});
  bytes.add(std::string_view{event.request});
  bytes.add(std::string_view{event.done_by});
  return bytes.hash();
}

crypto::Digest hash_of(const AuditCheckpoint& checkpoint, const crypto::Digest& before) {
  CanonicalBytes bytes{"troupe audit checkpoint 1\n"};
  bytes.add(before.view());
  bytes.add(checkpoint.segment);
  bytes.add(checkpoint.count);
  bytes.add(checkpoint.last.view());
  bytes.add(checkpoint.last_hash.view());
  return bytes.hash();
}

bool ends_segment(base::UnixTime last, std::int64_t place, base::UnixTime next) noexcept {
  return place >= audit_segment_max || day_of(next) != day_of(last);
}

}  // namespace troupe::oauth
