// Library: a shared library of somebody else's that is opened when it is first needed.
//
// Most servers talk to no PostgreSQL and fetch nothing. libpq and libcurl bring two dozen other
// libraries along (Kerberos, LDAP, a second TLS); linked, all of them would be in every process from
// its start, with their memory and whatever can be wrong with them.
#pragma once

namespace troupe::late {

class Library {
 public:
  /// Opens `file` ("libpq.so.5"), which stays open to the end of the process. Throws std::runtime_error with what to
  /// install (`package`) where it is not there.
  Library(const char* file, const char* package);

  /// Lets `function` be the one of that name. Throws std::runtime_error where the library has none. The type is that of
  /// the library's own header: `library.find(pq.clear, "PQclear")` of a `decltype(&PQclear) clear`.
  template <class F>
  void find(F*& function, const char* name) const {
    function = reinterpret_cast<F*>(address_of(name));
  }

 private:
  void* address_of(const char* name) const;
  const char* file_;
  void* handle_;
};

}  // namespace troupe::late
