// ClientOrigins: the origins that the pages of public clients have ("https://app.example"), each with how many clients
// have it.
//
// Owned by the Client Actor. It is what one generation of the clients' table says. A change that led from that
// generation to the next is added to it; after one that somebody else has made meanwhile it must be read anew.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/oauth/model/client.h"
#include "troupe/oauth/storage/tables.h"

namespace troupe::oauth {

/// The origins of one client's redirect URIs, each once; none of one that is disabled or has no pages.
std::vector<std::string> origins_of(const Client& client);
/// The same of the one of that id, if there is one; none of one that is damaged.
std::vector<std::string> origins_of(Tables& tables, const ClientId& id);

/// What a transaction has changed of one client's origins, and of the table's generation.
struct OriginsChange {
  std::int64_t from = 0;
  std::vector<std::string> before;
  std::int64_t to = 0;
  std::vector<std::string> after;
};

class ClientOrigins {
 public:
  struct Read;
  /// All that the table says at this moment.
  static Read read(Tables& tables);

  bool was_read() const noexcept { return generation_ >= 0; }
  bool is_of(std::int64_t generation) const noexcept { return generation_ == generation; }
  std::int64_t generation() const noexcept { return generation_; }
  /// Does nothing where it has not seen all that was before the change.
  void follow(const OriginsChange& change);
  bool contains(std::string_view origin) const { return clients_.contains(origin); }

 private:
  void add(const std::string& origin) { ++clients_[origin]; }
  void remove(const std::string& origin);

  std::map<std::string, int, std::less<>> clients_;  // how many have it
  std::int64_t generation_ = -1;                     // nothing was read yet
};

struct ClientOrigins::Read {
  ClientOrigins origins;
  std::vector<DamagedClient> damaged;  // clients whose origins nobody can tell
};

}  // namespace troupe::oauth
