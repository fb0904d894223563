// The actor library: include this one header to use it. docs/ARCHITECTURE.md is the map.
#pragma once

#include "troupe/actor/batch.h"
#include "troupe/actor/context.h"
#include "troupe/actor/group/lazy.h"
#include "troupe/actor/group/pool.h"
#include "troupe/actor/group/shards.h"
#include "troupe/actor/inspect.h"
#include "troupe/actor/message.h"
#include "troupe/actor/offload/offload.h"
#include "troupe/actor/pool.h"
#include "troupe/actor/ref.h"
#include "troupe/actor/runtime/options.h"
#include "troupe/actor/stream.h"
#include "troupe/actor/stream_reader.h"
#include "troupe/actor/system.h"
#include "troupe/actor/task.h"
#include "troupe/actor/topic.h"
