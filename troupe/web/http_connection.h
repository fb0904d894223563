// HttpConnection: one client's connection, as an actor. It reads requests, lets the router's
// handlers answer them one at a time, and writes the answers in order.
//
// It owns its stream until a WebSocket or a streamed response takes it over, and ends with it. Every phase has its
// time limit; a slow or silent client costs one actor and no buffer beyond its limits; all
// that was answered in one turn leaves in one write.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "troupe/actor/actor.h"
#include "troupe/net/stream.h"
#include "troupe/web/http_site.h"
#include "troupe/web/message.h"
#include "troupe/web/request_reader.h"
#include "troupe/web/router.h"

namespace troupe::web {

/// A stream on its way into an actor, whose arguments must be copyable. The first incarnation takes it.
using StreamHandover = std::shared_ptr<std::unique_ptr<net::Stream>>;

struct ServeRequest {};     // to itself: a request is whole
struct CheckDeadlines {};   // to itself: one of them may have passed
struct DrainConnection {};  // from its server: finish the request at hand, if there is one, then close

class HttpConnection final : private net::StreamEvents, private actor::TurnEndHook, private ReceiveBudget::Holder {
 public:
  static constexpr std::string_view actor_type = "HttpConnection";
  static constexpr bool interleaves = true;  // deadlines and a drain are heard while a handler waits

  HttpConnection(std::shared_ptr<HttpSite> site, StreamHandover stream);

  void started(actor::Context& ctx);
  actor::Task<void> handle(ServeRequest message, actor::Context& ctx);
  void handle(CheckDeadlines message, actor::Context& ctx);
  void handle(DrainConnection message, actor::Context& ctx);
  void inspect(actor::Inspection& out) const;

 private:
  enum class Phase : std::uint8_t {
    idle,       // between requests
    in_head,    // a head has begun
    in_body,    // a body has begun
    serving,    // a handler has the request
    stalled,    // too many answers wait for the client to take them
    closing,    // the last answer is on its way; what still comes is thrown away
    lingering,  // it has left; we wait for the client to close
    ended,
  };

  /// What the answer needs to know of its request.
  struct Asked {
    bool head_only = false;
    bool tells_keep_alive = false;
    bool secure = false;
    std::string method;
    std::string path;
    std::string request_id;
    base::Instant at;
    bool failure_is_told = false;  // the log has it
  };

  void on_bytes(std::span<char> bytes) override;
  void on_writable() override;
  void on_closed(net::CloseReason reason) override;
  void on_turn_end() override;
  void give_up_received() override;

  std::string_view read(std::string_view bytes);
  void pause_at(RequestReader::Step step);
  void hold_back(std::string_view bytes);
  void wait_for_room();
  void count_received();
  void forget_backlog();
  void next_request();

  void trace(const Request& request, actor::Context& ctx) const;
  using Answer = std::variant<Response, Accept, Streaming>;
  actor::Task<Answer> answer(Request request, Router::Match match);
  void hand_over(const Request& request, Accept accept, const Asked& asked);
  void hand_over(Streaming streaming, const Asked& asked);
  static void tell_failure(int status, const Asked& asked);
  Response failed(Asked& asked, std::string_view what);

  void respond(Response response, Asked asked);
  void respond_and_close(Response response);
  void send_at_turn_end();
  void flush();
  void watch_client(std::size_t taken);
  void lost();
  void end_when_sent();
  void end();

  void enter(Phase phase);
  void arm(base::Instant when);
  std::size_t backlog_bytes() const noexcept { return backlog_.size() - backlog_read_; }
  bool all_is_sent() const noexcept { return sent_ == unsent_.size(); }

  std::shared_ptr<HttpSite> site_;
  std::unique_ptr<net::Stream> stream_;
  RequestReader reader_;
  ReceiveBudget::Share receiving_;
  actor::Context* ctx_ = nullptr;
  actor::Entry entry_;

  std::optional<RoutedRequest> request_;  // whole, until a handler takes it
  std::string backlog_;                   // what came after it
  std::size_t backlog_read_ = 0;          // how much of that has become requests
  std::string unsent_;                    // answers that the stream has not taken
  std::size_t sent_ = 0;                  // how much of them it has
  std::size_t taken_in_time_ = 0;         // how much since write_deadline_ was set

  base::Instant phase_deadline_ = base::Instant::never();
  base::Instant write_deadline_ = base::Instant::never();
  base::Instant check_at_ = base::Instant::never();  // when the next CheckDeadlines comes
  Phase phase_ = Phase::ended;                       // until started
  bool keep_alive_ = true;
  bool paused_ = false;    // nothing is read, for too much is held back
  bool given_up_ = false;  // what came behind the request at hand is forgotten, and its client is told so
  bool came_late_;         // the server was going away already
  bool draining_;
  bool input_ended_ = false;
  bool client_is_gone_ = false;  // while a handler works for it
};

}  // namespace troupe::web
