// The frame of commands that change or show what the authorization server keeps: they load
// the configuration, open the store, and do their work in one transaction.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/app/command/command.h"
#include "troupe/app/command/open_store.h"
#include "troupe/base/random.h"
#include "troupe/crypto/token.h"
#include "troupe/oauth/storage/tables.h"
#include "troupe/wire/json.h"

namespace troupe::app {

/// Whether a command does what it says, or tells what it would do.
enum class Run : std::uint8_t { in_earnest, dry };

/// What a piece of administration works with: time, random numbers, ids, and the audit trail.
class AdminWork {
 public:
  explicit AdminWork(Config config);

  const Config& config() const noexcept { return config_; }
  base::UnixTime now() const noexcept { return now_; }
  base::Random& random() noexcept { return *random_; }
  crypto::TokenIds& ids() noexcept { return ids_; }

  /// An entry of the audit trail that somebody at the command line is the cause of.
  oauth::AuditEvent event(std::string_view kind);

  /// Shows `work` the tables, which it must not change; writers are not held up. Gives what it gives. Throws
  /// CommandFailed where there is no database yet.
  template <class F>
  auto look(F work) {
    std::optional<decltype(work(std::declval<oauth::Tables&>()))> result;
    const store::Work piece = [&](store::Transaction& transaction) {
      oauth::SqlTables sql{transaction, seals_.get()};
      oauth::Tables tables = sql.all();
      result = work(tables);
    };
    if (const std::exception_ptr failure = store(Missing::refuse).read({&piece, 1}).front())
      std::rethrow_exception(failure);
    return *std::move(result);
  }

  /// Runs `work` on the tables, in one transaction; gives what it gives. Nothing has happened when it throws. Where
  /// there is no database yet, throws CommandFailed or makes one, as `missing` says.
  template <class F>
  auto transact(Missing missing, F work) {
    return store(missing).transact([&](store::Transaction& transaction) {
      oauth::SqlTables sql{transaction, seals_.get()};
      oauth::Tables tables = sql.all();
      return work(tables);
    });
  }
  template <class F>
  auto transact(F work) {
    return transact(Missing::refuse, std::move(work));
  }

  /// The same; where it runs dry, what `work` has done is undone, and what it gives comes back all the same.
  template <class F>
  auto transact(Run run, F work) {
    std::optional<decltype(work(std::declval<oauth::Tables&>()))> result;
    struct Undo {};
    try {
      transact([&](oauth::Tables& tables) {
        result = work(tables);
        if (run == Run::dry) throw Undo{};
      });
    } catch (const Undo&) {
      // Nothing has happened.
    }
    return *std::move(result);
  }

 private:
  store::Session& store(Missing missing);

  Config config_;
  base::UnixTime now_;
  std::unique_ptr<base::Random> random_;
  crypto::TokenIds ids_;
  oauth::KeySealsPtr seals_;
  std::unique_ptr<store::Session> store_;  // once it was needed
};

/// Adds `--dry-run`, which makes `run` dry.
void add_dry_run_flag(CLI::App& command, Run& run);

/// Tells how a deed went by `sentence`; of a dry run which grants would have ended, and that none has.
void tell(Invocation& invocation, Run run, const std::string& sentence,
          const std::vector<oauth::FamilyId>& ended_grants);

/// All pages of `wanted`.
template <class Row, class Wanted, class Page>
std::vector<Row> all_pages(Wanted wanted, Page page_of) {
  wanted.count = 500;
  std::vector<Row> rows;
  do {
    auto page = page_of(wanted);
    rows.insert(rows.end(), page.rows.begin(), page.rows.end());
    wanted.after = page.next;
  } while (wanted.after);
  return rows;
}

/// `rows` as a list in JSON, each by `write`.
template <class Rows, class Write>
std::string json_list(const Rows& rows, Write write) {
  std::string out;
  wire::JsonWriter writer{out};
  writer.begin_array();
  for (const auto& row : rows) write(writer, row);
  writer.end_array();
  return out;
}

/// A command below `parent` that loads the configuration and gives `work` an AdminWork.
CLI::App* add_admin_command(CLI::App& parent, Invocation& invocation, const char* name, const char* help,
                            std::function<Exit(AdminWork&)> work);

/// The same with flags of its own, which live as long as the command. `work` takes the Invocation, the flags and the
/// AdminWork; it says how it went, or nothing where it went well.
template <class Flags, class Work>
std::pair<CLI::App*, std::shared_ptr<Flags>> add_admin_command(CLI::App& parent, Invocation& invocation,
                                                               const char* name, const char* help, Work work) {
  auto flags = std::make_shared<Flags>();
  auto* command = add_admin_command(parent, invocation, name, help, [&invocation, flags, work](AdminWork& admin) {
    if constexpr (std::is_void_v<std::invoke_result_t<Work, Invocation&, const Flags&, AdminWork&>>) {
      work(invocation, *flags, admin);
      return Exit::success;
    } else {
      return work(invocation, *flags, admin);
    }
  });
  return {command, flags};
}

/// The user of this name. Throws CommandFailed where there is none.
oauth::UserRecord user_named(oauth::Tables& tables, const std::string& name);

/// The client of this id. Throws CommandFailed where there is none.
[[noreturn]] void throw_no_client(const std::string& id);
oauth::Client client_named(oauth::Tables& tables, const std::string& id);

/// A moment as people read it, in UTC: "2026-01-31 12:00:00".
std::string moment_text(base::UnixTime time);

}  // namespace troupe::app
