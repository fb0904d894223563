// Storage: the tables of the authorization server as coroutines.
//
//   auto client = co_await storage.read([id](Tables& t) { return t.clients.find(id); });
//
// Each function is one transaction: it happens as a whole, durably before `write` comes back,
// or not at all. Over a database it runs on a thread for blocking work; over its twin in
// memory it runs at once, for tests on one thread.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "troupe/oauth/storage/tables.h"
#include "troupe/store/database.h"

namespace troupe::oauth {

class Storage {
 public:
  template <class F>
  using Result = std::invoke_result_t<const F&, Tables&>;  // constant: it may have to run again

  Storage() = default;
  /// `seals`: how the server's keys stand on the disk; null: in clear.
  explicit Storage(store::Database database, KeySealsPtr seals = nullptr)
      : database_(std::move(database)), seals_(std::move(seals)) {}
  explicit Storage(std::shared_ptr<MemoryTables> rows) : rows_(std::move(rows)) {}

  /// Throws what `work` throws, or store::Error. `work` owns what it captures, and is handed on several times.
  template <class F>
  actor::Task<Result<F>> write(F work) const {
    if (rows_) return in_memory(rows_, std::move(work));
    return database_.write(by_sql(std::move(work), seals_));
  }

  /// The same for work that changes nothing.
  template <class F>
  actor::Task<Result<F>> read(F work) const {
    if (rows_) return in_memory(rows_, std::move(work));
    return database_.read(by_sql(std::move(work), seals_));
  }

 private:
  template <class F>
  static auto by_sql(F work, KeySealsPtr seals) {
    return [work = std::move(work), seals = std::move(seals)](store::Transaction& transaction) -> Result<F> {
      SqlTables sql{transaction, seals.get()};
      Tables tables = sql.all();
      return work(tables);
    };
  }

  template <class F>
  static actor::Task<Result<F>> in_memory(std::shared_ptr<MemoryTables> rows, F work) {
    MemoryTables changed = *rows;
    Tables tables = changed.all();
    if constexpr (std::is_void_v<Result<F>>) {
      work(tables);
      *rows = std::move(changed);
      co_return;
    } else {
      auto result = work(tables);
      *rows = std::move(changed);
      co_return result;
    }
  }

  store::Database database_;
  KeySealsPtr seals_;
  std::shared_ptr<MemoryTables> rows_;
};

}  // namespace troupe::oauth
