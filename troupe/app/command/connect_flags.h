// The flags of commands that are clients of a server: which one, whom to trust, and with which token.
//
// A token never stands on the command line, where every user of the machine could read it.
#pragma once

#include <string>
#include <vector>

#include "troupe/app/client/connector.h"
#include "troupe/app/command/console.h"
#include "troupe/realtime/client/subscriber.h"

namespace CLI {
class App;
}

namespace troupe::app {

struct ConnectFlags {
  ConnectorOptions connector;
  std::string token_file;
};

/// Adds --server, --token-file and --ca-file; `flags` must live as long as the command.
void add_connect_flags(CLI::App& command, ConnectFlags& flags);

/// The way to the server. Throws CommandFailed.
Connector make_connector(const ConnectFlags& flags);

/// The tokens, one a line, of the file or of standard input ("-"), else that of TROUPE_TOKEN; one that is empty where
/// there is none. Throws CommandFailed where a file cannot be read or holds what can be no token.
std::vector<realtime::AccessToken> read_tokens(const ConnectFlags& flags, Console& console);

/// The first of them; tells where it would cross a network in the clear.
realtime::AccessToken read_token(const ConnectFlags& flags, const Connector& connector, Console& console);

/// For commands that outlive their token: reads the file again, and gives the first token in it where it is another
/// one. None where the token comes from elsewhere. A file that cannot be read now, or is no file to be read twice, has
/// none.
realtime::RenewToken token_renewal(const ConnectFlags& flags);

}  // namespace troupe::app
