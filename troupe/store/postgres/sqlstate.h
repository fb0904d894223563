// What PostgreSQL's SQLSTATE says of a failure, in the words of store::Failure.
#pragma once

#include <string_view>

#include "troupe/store/transaction.h"

namespace troupe::store {

Failure failure_of(std::string_view sqlstate);

/// Whether the server closes the connection with it.
bool ends_connection(std::string_view sqlstate);

/// Whether the server's sentence may name the value that it did not like: such sentences are not repeated.
bool may_show_values(std::string_view sqlstate);

/// The five characters as a number, in base 36, for Error::code. 0: there are none.
int number_of(std::string_view sqlstate);

}  // namespace troupe::store
