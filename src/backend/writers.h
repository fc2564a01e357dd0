// The two ways a message leaves the backend; readers are instantiated for both.

#pragma once

#include "backend/payload.h"
#include "backend/text.h"
#include "protocol/json_writer.h"
#include "protocol/msgpack_writer.h"
#include "protocol/sink.h"

namespace socketio {

using NotificationWriter = JsonWriter<BoundedSink>;
using AttachmentWriter = MsgpackWriter<PayloadSink>;

// A notification's payload is text in the encoding of the database.
inline JsonCharacters json_characters() { return is_utf8_database() ? JsonCharacters::kUtf8 : JsonCharacters::kAscii; }

// An ERROR of PostgreSQL's may pass over either without running a destructor.
static_assert(std::is_trivially_destructible_v<NotificationWriter>);
static_assert(std::is_trivially_destructible_v<AttachmentWriter>);
static_assert(std::is_trivially_destructible_v<BoundedSink>);
static_assert(std::is_trivially_destructible_v<PayloadSink>);

}  // namespace socketio
