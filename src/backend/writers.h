// The two ways a message leaves the backend; readers are instantiated for both.

#pragma once

#include "backend/payload.h"
#include "protocol/json_writer.h"
#include "protocol/msgpack_writer.h"
#include "protocol/sink.h"

namespace socketio {

using NotificationWriter = JsonWriter<BoundedSink>;
using AttachmentWriter = MsgpackWriter<PayloadSink>;

// An ERROR of PostgreSQL's may pass over either without running a destructor.
static_assert(std::is_trivially_destructible_v<NotificationWriter>);
static_assert(std::is_trivially_destructible_v<AttachmentWriter>);
static_assert(std::is_trivially_destructible_v<BoundedSink>);
static_assert(std::is_trivially_destructible_v<PayloadSink>);

}  // namespace socketio
