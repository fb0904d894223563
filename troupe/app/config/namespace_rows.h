// What the rows of a namespace are among those of [realtime]: the defaults of all namespaces.
#pragma once

#include "troupe/app/config/key.h"

namespace troupe::app {

/// The key of [realtime] that sets the value where no namespace does. `key` is one of namespace_keys().
Key as_default(const NamespaceKey& key);

}  // namespace troupe::app
