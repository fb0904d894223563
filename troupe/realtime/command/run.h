// All commands of a client: one overload of run() for each, which sees to it that a frame
// with an id gets its one final answer.
//
// They are called one at a time for each connection, in the connection's actor; the client
// outlives the task.
#pragma once

#include "troupe/realtime/command/authenticate.h"
#include "troupe/realtime/command/direct.h"
#include "troupe/realtime/command/history.h"
#include "troupe/realtime/command/info.h"
#include "troupe/realtime/command/presence.h"
#include "troupe/realtime/command/publish.h"
#include "troupe/realtime/command/resume.h"
#include "troupe/realtime/command/subscribe.h"
#include "troupe/realtime/command/unsubscribe.h"
