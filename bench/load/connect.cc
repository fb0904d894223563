// `connect`: some connections at a time are opened with a token each, welcomed and gone again.
// One unit is one connection, from the first byte of the upgrade to `welcome`.
#include <vector>

#include "bench/load/websocket_client.h"
#include "bench/load/workload.h"
#include "bench/support/cpu.h"

namespace troupe::bench {
namespace {

class Connect final : public Workload {
 public:
  Connect(const Target& target, const LoadOptions& options) : target_(target), options_(options) {}

  std::uint64_t run_until(base::Instant end) override {
    std::uint64_t units = 0;
    while (now() < end) {
      std::vector<WebSocketClient> clients;
      for (std::size_t i = 0; i < options_.connections; ++i) {
        clients.push_back(WebSocketClient::asking(target_.port, options_.path, next_token()));
      }
      for (auto& client : clients) {
        client.finish_upgrade();
        if (target_.is_troupe()) client.wait_for("\"welcome\"");
        client.vanish();
      }
      units += clients.size();
    }
    return units;
  }

 private:
  std::string next_token() {
    if (options_.tokens.empty()) return {};
    return "Authorization: Bearer " + options_.tokens[next_++ % options_.tokens.size()] + "\r\n";
  }

  Target target_;
  LoadOptions options_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Workload> make_connect(const Target& target, const LoadOptions& options) {
  return std::make_unique<Connect>(target, options);
}

}  // namespace troupe::bench
