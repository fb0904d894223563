// Messages: what an attack sends over HTTP, and what came back, as values.
//
// Nothing is checked or repaired here, since much of what is sent is wrong on purpose.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::attack {

struct Field {
  std::string name, value;
};

struct Request {
  std::string method = "GET";
  std::string url;
  std::vector<Field> fields;  // those of the client itself, such as Host, come by themselves unless they stand here
  std::string body;
};

struct Answer {
  int status = 0;  // 0: none came, and `failure` says why
  std::vector<Field> fields;
  std::string body;  // of one that is longer than a megabyte, the beginning
  std::string failure;

  /// The value of the first field of that name, in any case; "" where there is none.
  std::string field(std::string_view name) const;
  /// The values of all fields of that name.
  std::vector<std::string> all(std::string_view name) const;
};

/// A request and what came of it, kept together as evidence.
struct Exchange {
  Request request;
  Answer answer;
};

}  // namespace troupe::attack
