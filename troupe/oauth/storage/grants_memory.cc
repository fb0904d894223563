// The memory twin of the tables in grants.h.
#include "troupe/oauth/storage/columns.h"
#include "troupe/oauth/storage/grants.h"
#include "troupe/oauth/storage/rows.h"

namespace troupe::oauth {

void MemoryGrants::insert_code(const AuthCode& code) { insert_into(codes_, code.id, code); }
std::optional<AuthCode> MemoryGrants::find_code(const crypto::TokenId& id) { return found_in(codes_, id); }

bool MemoryGrants::use_code(const crypto::TokenId& id) {
  const auto found = codes_.find(id);
  if (found == codes_.end() || found->second.state == CodeState::used) return false;
  found->second.state = CodeState::used;
  return true;
}

namespace {

/// Spends the codes made at `since` or later whose grant `is_meant`; gives how many.
template <class IsMeant>
int use_codes(std::map<crypto::TokenId, AuthCode>& codes, base::UnixTime since, IsMeant is_meant) {
  int used = 0;
  for (auto it = codes.lower_bound(crypto::TokenId::first_at(since)); it != codes.end(); ++it) {
    if (it->second.state == CodeState::used || !is_meant(it->second.grant)) continue;
    it->second.state = CodeState::used;
    ++used;
  }
  return used;
}

}  // namespace

int MemoryGrants::use_codes_of(const UserId& user, const ClientId& client, base::UnixTime since) {
  return use_codes(codes_, since, [&](const Grant& grant) {
    return grant.client == client && grant.authentication && grant.authentication->user == user;
  });
}

int MemoryGrants::use_codes_of(const ClientId& client, base::UnixTime since) {
  return use_codes(codes_, since, [&](const Grant& grant) { return grant.client == client; });
}

void MemoryGrants::insert_family(const FamilyRecord& family) {
  insert_into(families_, bytes_of(family.grant.family), family);
}
std::optional<FamilyRecord> MemoryGrants::find_family(const FamilyId& id) { return found_in(families_, bytes_of(id)); }

bool MemoryGrants::revoke_family(const FamilyId& id, base::UnixTime now, std::string_view because) {
  const auto found = families_.find(bytes_of(id));
  if (found == families_.end() || found->second.revoked_at) return false;
  found->second.revoked_at = now;
  found->second.revoked_because = because;
  return true;
}

namespace {

/// Those behind `after` whose user `is_meant(authentication)`.
template <class IsMeant>
std::vector<FamilyRecord> meant_behind(const std::map<crypto::TokenId, FamilyRecord>& families,
                                       const crypto::TokenId& after, int count, IsMeant is_meant) {
  std::vector<FamilyRecord> found;
  for (auto it = families.upper_bound(after); it != families.end() && std::ssize(found) < count; ++it) {
    const auto& by = it->second.grant.authentication;
    if (by && is_meant(*by)) found.push_back(it->second);
  }
  return found;
}

}  // namespace

std::vector<FamilyRecord> MemoryGrants::families_of(const SessionId& session, const crypto::TokenId& after, int count) {
  return meant_behind(families_, after, count, [&](const Authentication& by) { return by.session == session; });
}

std::vector<FamilyRecord> MemoryGrants::families_of(const UserId& user, const crypto::TokenId& after, int count) {
  return meant_behind(families_, after, count, [&](const Authentication& by) { return by.user == user; });
}

void MemoryGrants::insert_refresh(const RefreshRecord& token) { insert_into(refresh_, token.id, token); }
std::optional<RefreshRecord> MemoryGrants::find_refresh(const crypto::TokenId& id) { return found_in(refresh_, id); }
bool MemoryGrants::update_refresh(const RefreshRecord& token) { return update_in(refresh_, token.id, token); }
void MemoryGrants::insert_access(const AccessRecord& token) { insert_into(access_, token.id, token); }
std::optional<AccessRecord> MemoryGrants::find_access(const crypto::TokenId& id) { return found_in(access_, id); }

bool MemoryGrants::revoke_access(const crypto::TokenId& id, base::UnixTime now) {
  const auto found = access_.find(id);
  if (found == access_.end() || found->second.revoked_at) return false;
  found->second.revoked_at = now;
  return true;
}

std::vector<FamilyRecord> MemoryGrants::families_after(const crypto::TokenId& after, int count) {
  return page_of(families_, after, count);
}
std::vector<RefreshRecord> MemoryGrants::refresh_after(const crypto::TokenId& after, int count) {
  return page_of(refresh_, after, count);
}
std::vector<AccessRecord> MemoryGrants::access_after(const crypto::TokenId& after, int count) {
  return page_of(access_, after, count);
}

void MemoryGrants::append_ending(const Ending& ending) { endings_.emplace(++last_ending_, ending); }

std::vector<EndingRecord> MemoryGrants::endings_after(std::int64_t number, int count) {
  std::vector<EndingRecord> found;
  for (auto each = endings_.upper_bound(number); each != endings_.end() && count > 0; ++each, --count) {
    found.push_back({each->first, each->second});
  }
  return found;
}

int MemoryGrants::remove_codes_before(const crypto::TokenId& end, int count) {
  return remove_before(codes_, end, count);
}
int MemoryGrants::remove_families_before(const crypto::TokenId& end, int count) {
  return remove_before(families_, end, count);
}
int MemoryGrants::remove_refresh_before(const crypto::TokenId& end, int count) {
  return remove_before(refresh_, end, count);
}
int MemoryGrants::remove_access_expired(base::UnixTime end, int count) {
  int removed = 0;
  int looks = 4 * count;
  for (auto each = access_.begin(); each != access_.end() && removed < count && looks > 0; --looks) {
    const bool is_over = each->second.expires_at <= end;
    each = is_over ? access_.erase(each) : std::next(each);
    removed += is_over ? 1 : 0;
  }
  return removed;
}

int MemoryGrants::remove_endings_before(base::UnixTime end, int count) {
  int removed = 0;
  for (auto each = endings_.begin(); each != endings_.end() && removed < count && each->second.at < end; ++removed) {
    each = endings_.erase(each);
  }
  return removed;
}

}  // namespace troupe::oauth
