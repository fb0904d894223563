// Session Actor: owns the sessions of browsers and the sign-ins in progress (flows).
//
// A flow is good only in the browser that began it and for `flow_ttl`. Each page of it has a
// token of its own, spent by the step it belongs to: a form that is replayed, forged by
// another site, or taken from another flow changes nothing. Two tabs are two flows. A login form that
// a browser sends twice at once, as a double click does, is answered alike both times: the browser
// heeds one of the answers, and nobody can tell which. Where there are too many flows, the address that has begun most
// of them loses its oldest (flow_places.h).
#pragma once

#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/oauth/actor/audit.h"
#include "troupe/oauth/actor/flow_places.h"
#include "troupe/oauth/model/auth_request.h"
#include "troupe/oauth/model/cause.h"
#include "troupe/oauth/model/ids.h"
#include "troupe/oauth/model/session.h"
#include "troupe/oauth/model/token.h"
#include "troupe/oauth/storage/storage.h"

namespace troupe::oauth {

/// Every reason is the same to the user: the page is too old or not theirs, start again at the application.
enum class FlowError { not_here };  // unknown, expired, finished, of another browser, or the page's token is spent

/// A flow with the token for the form of its next page. Each ticket makes the tokens of earlier ones void.
struct FlowTicket {
  Flow flow;
  CsrfToken csrf;
};

/// A flow that has begun, and the cookie of the browser it is bound to.
struct BegunFlow {
  FlowTicket ticket;
  BrowserToken browser;
};

/// Begins a sign-in for a request that needs the user's attention, or for the account page.
struct BeginFlow {
  AuthRequest request;                  // of the goal `code`
  std::optional<BrowserToken> browser;  // nothing: a browser that is new here is given a token
  FlowGoal goal = FlowGoal::code;
  std::string ui_locales{};
  std::string address{};  // where the same is begun anew: a path of ours; "" where none is known
  net::IpAddress peer{};  // who asks, as the rate limits know them
  using reply = BegunFlow;
};

/// The flow, to show a page of it. The token stays the same until the step is done, so that the page may be loaded
/// again.
struct GetFlow {
  FlowId flow;
  BrowserToken browser;
  using reply = FlowTicket;
  using error = FlowError;
};

/// Checks what a form of the flow brought, before anything is done with it.
struct CheckFlow {
  FlowId flow;
  BrowserToken browser;
  CsrfToken csrf;
  using reply = Flow;
  using error = FlowError;
};

/// What of a flow is to be done next.
enum class FlowStep : std::uint8_t { login, consent, nothing };

struct WayOn {
  FlowStep step = FlowStep::login;
  std::string address;  // of a flow that is finished: the path that begins the same anew
};

/// Where whoever sends a page's form once more goes on: the step at which the flow stands, also for a minute after it
/// was finished. Nothing where the flow is not there, or it is finished and no path is known.
struct GetWayOn {
  FlowId flow;
  BrowserToken browser;
  using reply = std::optional<WayOn>;
};

/// A session with the new secret of its cookie.
struct StartedSession {
  Session session;
  SessionToken token;
  FlowTicket next;
};

/// The password was right, and is still the user's: else the flow is not here. Begins a session, or renews the one of
/// `previous` if it is the same user's, under a new cookie in either case; the old cookie is void (T29). A session of
/// somebody else ends there, with its tokens; and so does the user's oldest where they have as many as they may. Marks
/// the flow as signed in and gives it a new page token. The form must have passed CheckFlow. One that was sent twice
/// and passed twice is given the session that the first has begun.
struct StartSession {
  FlowId flow;
  BrowserToken browser;
  CsrfToken csrf;
  UserId user;
  base::UnixTime password_since;  // as SignedInUser has it
  std::optional<SessionToken> previous;
  SignInPlace place{};
  Cause cause{};
  using reply = StartedSession;
  using error = FlowError;
};

/// The session of a cookie, touched; nothing when it is unknown or has expired.
struct GetSession {
  SessionToken token;
  using reply = std::optional<Session>;
};

/// What a flow is finished by: the login form, right after its StartSession, or the form of a later page.
enum class FinishedBy : std::uint8_t { login, page };

/// Takes the flow out, once: whoever gets it may answer the client, and nobody after them, but for a login form that
/// was sent twice at once.
struct FinishFlow {
  FlowId flow;
  BrowserToken browser;
  CsrfToken csrf;
  FinishedBy by = FinishedBy::page;
  using reply = Flow;
  using error = FlowError;
};

/// Ends a session and takes back its tokens, in one transaction; gives the one that was ended, if the cookie was good.
/// Tokens with the scope offline_access outlive it.
struct EndSession {
  SessionToken token;
  Cause cause{};
  using reply = std::optional<Session>;
};

/// The sessions of a user that are alive, the one seen last first.
struct ListSessions {
  UserId user;
  using reply = std::vector<Session>;
};

struct SessionsEnded {
  int count = 0;
};

/// Ends other sessions of the same user, as EndSession would: the one of that name, or all of them. What is another
/// user's, or over, stays as it is.
struct EndOtherSessions {
  SessionToken token;             // of the session that stays
  std::optional<SessionId> only;  // nothing: all
  Cause cause{};
  using reply = SessionsEnded;
};

/// Ends the session of that name, as EndSession would, for somebody who administers. None is ended where there is none,
/// or it is over.
struct EndNamedSession {
  SessionId id;
  Cause cause{};
  using reply = SessionsEnded;
};

struct SessionActorParts {
  Storage storage;
  actor::Ref<actor::Protocol<TokensRevoked>> watcher;  // may be null
  SharedOptions options;
};

class SessionActor {
 public:
  explicit SessionActor(SessionActorParts parts);

  BegunFlow handle(BeginFlow message, actor::Context& context);
  std::expected<FlowTicket, FlowError> handle(GetFlow message, actor::Context& context);
  std::expected<Flow, FlowError> handle(CheckFlow message, actor::Context& context);
  std::optional<WayOn> handle(GetWayOn message, actor::Context& context);
  actor::Task<std::expected<StartedSession, FlowError>> handle(StartSession message, actor::Context& context);
  actor::Task<std::optional<Session>> handle(GetSession message, actor::Context& context);
  std::expected<Flow, FlowError> handle(FinishFlow message, actor::Context& context);
  actor::Task<std::optional<Session>> handle(EndSession message, actor::Context& context);
  actor::Task<std::vector<Session>> handle(ListSessions message, actor::Context& context);
  actor::Task<SessionsEnded> handle(EndOtherSessions message, actor::Context& context);
  actor::Task<SessionsEnded> handle(EndNamedSession message, actor::Context& context);
  void inspect(actor::Inspection& out) const;

 private:
  struct Kept {
    Flow flow;
    crypto::Digest browser;  // of the browser's cookie
    CsrfToken csrf;
    std::string address;
    FlowPlaces::Number place = 0;
    struct Login {
      CsrfToken form;
      Session session;
      SessionToken cookie;
    };
    std::optional<Login> login{};  // once somebody has signed in
    bool is_finished = false;
  };

  /// The flow, if it is of this browser and alive, or was finished a moment ago; null otherwise.
  Kept* find(const FlowId& id, const BrowserToken& browser, base::UnixTime now);
  /// The same of one that is not finished.
  Kept* find_open(const FlowId& id, const BrowserToken& browser, base::UnixTime now);
  /// The same for a form that came with its page's token.
  Kept* find_open(const FlowId& id, const BrowserToken& browser, const CsrfToken& csrf, base::UnixTime now);
  /// What the same form has been answered already, while that session is alive.
  actor::Task<std::expected<StartedSession, FlowError>> started_before(StartSession message, base::UnixTime now);
  /// Where there is none, flows go until there is.
  void make_room(const net::IpAddress& peer, std::size_t bytes, base::UnixTime now);
  void finish(const FlowId& id, Kept& kept, base::UnixTime now);
  void forget_finished(base::UnixTime now);
  void forget(const FlowId& id);
  void tell_revoked(const std::vector<FamilyId>& families) const;

  SessionActorParts parts_;
  Auditor auditor_;
  crypto::TokenIds ids_;
  std::map<FlowId, Kept> flows_;
  FlowPlaces places_;            // of all flows_
  std::deque<FlowId> finished_;  // of flows_, in the order in which they were
};

}  // namespace troupe::oauth
