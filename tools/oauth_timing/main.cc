// oauth_timing: whether the time of a refusal tells how near a guess was (T34), or which users there are (T65).
//
// Two kinds of requests that must take equally long are sent to a real server in an order of chance, thousands of each,
// and a rank test compares them. Run it on a machine that is quiet, by `./dev prove oauth_timing`; never by `./dev
// test`.
//
//   oauth_timing --troupe PROGRAM [--samples N] [--logins N]    exit status 0, 1 (they differ), 2 (cannot run)
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <functional>
#include <optional>

#include "tools/chaos/process.h"
#include "tools/oauth_timing/rank.h"
#include "troupe/attack/http/curl_transport.h"
#include "troupe/attack/trial.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"

namespace {

using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::oauth_timing;
using attack::json_text;
using attack::KnownClient;
using Secret = base::Secret<std::string>;

// Every sign-in comes from an address of its own, so that nobody is slowed down for those before.
constexpr const char* config = R"([server]
trusted_proxies = ["127.0.0.1"]
)";
constexpr const char* redirect_uri = "http://127.0.0.1:9/callback";
constexpr double deviations_max = 4.5;  // chance alone goes beyond it once in a hundred and fifty thousand runs
constexpr const char* dear = "oauth.password_passes=24";  // more than this server finds for itself on most machines
constexpr std::size_t attempts_of_a_name = 4;             // a fifth wrong password makes its account slow

struct Options {
  std::string troupe;
  std::uint64_t seed = 1;
  std::size_t samples = 5000;
  std::size_t logins = 160;
};

/// Sends one request of the kind, and gives how long its answer took.
using Kind = std::function<base::Duration()>;

class Scene {
 public:
  explicit Scene(const Options& options)
      : options_(options),
        random_(options.seed),
        server_(options.troupe, folder_.path(), chaos::quiet_and_unlimited + std::string{config}),
        transport_(attack::curl_transport({})) {
    client_ = add_client();
    for (std::size_t i = 0; i < options.logins / attempts_of_a_name; ++i)
      add_user(fmt::format("user-{}", i), i % 2 == 0);
    server_.start();
    auto found = attack::find_target(*transport_,
                                     {.url = fmt::format("http://127.0.0.1:{}", server_.port()), .client = client_});
    if (!found) throw chaos::Failed{found.error()};
    target_ = std::move(*found);
    trial_.emplace(target_, *transport_);
  }

  /// Whether every comparison came out even.
  bool judge() {
    bool all_even = true;
    const auto near = changed_at(client_.secret.expose(), client_.secret.expose().size() - 1);
    const auto far = changed_at(client_.secret.expose(), 0);
    const auto stranger = changed_at(client_.id, client_.id.size() - 2);
    all_even &= is_even(
        "a secret wrong at its end, and at its beginning", [&] { return token(client_.id, near); },
        [&] { return token(client_.id, far); }, options_.samples);
    // Told, and not judged: ids of clients stand in every authorization request, so nobody has to find them out.
    (void)is_even(
        "(not judged) an unknown client, and a wrong secret", [&] { return token(stranger, far); },
        [&] { return token(client_.id, far); }, options_.samples);
    const auto opaque = json_text(answer_of(token_request(client_.id, client_.secret.expose())).body, "access_token");
    if (opaque.empty()) throw chaos::Failed{"no access token came"};
    const auto near_token = changed_at(opaque, opaque.size() - 2), far_token = changed_at(opaque, 30);
    all_even &= is_even(
        "a token wrong at its end, and in its secret", [&] { return introspection(near_token); },
        [&] { return introspection(far_token); }, options_.samples);
    std::size_t known = 0, unknown = 0;
    all_even &= is_even(
        "a wrong name, and a wrong password",
        [&] { return log_in(fmt::format("nobody-{}", unknown++ / attempts_of_a_name)); },
        [&] { return log_in(fmt::format("user-{}", known++ / attempts_of_a_name)); }, options_.logins);
    return all_even;
  }

  bool end() { return server_.end(); }

 private:
  KnownClient add_client() {
    const auto said = server_.command({"client", "add", "--json", "--name", "timing", "--redirect-uri", redirect_uri,
                                       "--grant", "authorization_code", "--grant", "client_credentials", "--scope",
                                       "notes", "--access-token-format", "opaque"});
    return {.id = json_text(said, "client_id"),
            .secret = Secret{json_text(said, "client_secret")},
            .redirect_uri = redirect_uri,
            .another_redirect_uri = "",
            .scope = "notes"};
  }
  /// Hashes of both kinds are told from a name that nobody has where a refusal costs what its hash costs.
  void add_user(const std::string& name, bool is_dear) {
    std::vector<std::string> arguments{"user", "add", name, "--password-stdin"};
    if (is_dear) arguments.insert(arguments.end(), {"--set", dear});
    (void)server_.command(arguments, "a password of theirs\n");
  }

  static std::string changed_at(std::string text, std::size_t at) {
    text[at] = text[at] == 'A' ? 'B' : 'A';
    return text;
  }

  attack::Request token_request(const std::string& id, const std::string& secret) const {
    auto client = client_;
    client.id = id;
    client.secret = Secret{secret};
    return trial_->request_as(client, target_.endpoint("token_endpoint"), {{"grant_type", "client_credentials"}});
  }
  attack::Answer answer_of(const attack::Request& request) { return transport_->send(request); }

  base::Duration timed(const attack::Request& request, int status) {
    const auto begun = base::system_clock().now();
    const auto answer = answer_of(request);
    const auto took = base::system_clock().now() - begun;
    if (answer.status != status) throw chaos::Failed{fmt::format("{} came: {}", answer.status, answer.body)};
    return took;
  }
  base::Duration token(const std::string& id, const std::string& secret) {
    return timed(token_request(id, secret), 401);
  }
  base::Duration introspection(const std::string& shown) {
    return timed(trial_->request_as(client_, target_.endpoint("introspection_endpoint"), {{"token", shown}}), 200);
  }

  /// The pages are opened beforehand: only the answer to name and password is timed.
  base::Duration log_in(const std::string& name) {
    auto browser = trial_->browser(client_);
    const auto page = browser.open(trial_->authorize_url(trial_->request_for(client_).form));
    const auto form = page.login_form();
    if (!form) throw chaos::Failed{"no login page came"};
    auto request = attack::Browser::request_of(page, *form, attack::login_values(*form, name, "not their password"),
                                               attack::agreeing_button(*form));
    ++addresses_;
    request.fields.push_back(
        {"X-Forwarded-For", fmt::format("10.1.{}.{}", addresses_ / 250 % 250, 1 + addresses_ % 250)});
    const auto begun = base::system_clock().now();
    const auto answer = browser.send(std::move(request)).answer;
    const auto took = base::system_clock().now() - begun;
    if (answer.status == 429 || answer.status == 503 || answer.status == 0)
      throw chaos::Failed{fmt::format("a sign-in was answered with {}", answer.status)};
    return took;
  }

  bool is_even(const std::string& what, const Kind& one, const Kind& other, std::size_t count) {
    std::vector<double> first, second;
    for (int i = 0; i < 20 && count > 1000; ++i) (void)one(), (void)other();  // caches are warm
    while (first.size() < count || second.size() < count) {
      const bool is_first = second.size() >= count || (first.size() < count && random_.below(2) == 0);
      (is_first ? first : second)
          .push_back(std::chrono::duration<double, std::micro>((is_first ? one : other)()).count());
    }
    const double deviation = rank_deviation(first, second);
    const bool even = std::abs(deviation) <= deviations_max;
    fmt::print("{}: {:.1f} and {:.1f} us in the median of {}, {:+.1f} deviations: {}\n", what, median(first),
               median(second), count, deviation, even ? "no difference" : "THEY DIFFER");
    return even;
  }

  const Options& options_;
  base::SeededRandom random_;
  const chaos::Folder folder_;
  chaos::Server server_;
  std::unique_ptr<attack::Transport> transport_;
  KnownClient client_;
  attack::Target target_;
  std::optional<attack::Trial> trial_;
  std::size_t addresses_ = 0;
};

}  // namespace

int main(int count, char** values) {
  Options options;
  CLI::App app{"Whether the time of a refusal tells how near a guess was, or which users there are."};
  app.add_option("--troupe", options.troupe, "The executable")->required()->check(CLI::ExistingFile);
  app.add_option("--seed", options.seed, "Of the order")->capture_default_str();
  app.add_option("--samples", options.samples, "Of each kind")->capture_default_str();
  app.add_option("--logins", options.logins, "Of each kind; each takes a password hash")->capture_default_str();
  CLI11_PARSE(app, count, values);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    Scene scene{options};
    const bool even = scene.judge();
    if (!scene.end()) throw chaos::Failed{"the server did not end well"};
    return even ? 0 : 1;
  } catch (const chaos::Failed& failed) {
    fmt::print(stderr, "oauth_timing: {}\n", failed.why);
  } catch (const std::exception& error) {
    fmt::print(stderr, "oauth_timing: {}\n", error.what());
  }
  return 2;
}
