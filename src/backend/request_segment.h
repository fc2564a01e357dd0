// What a session that asks the cluster and the worker that asks for it share: a segment of dynamic shared memory.
//
//     header     who asks, what, where, and how long
//     namespace  that is asked
//     socket     the id of the one that is wanted, if one is
//     settings   of the session, for the worker to work under: names and values, one behind another
//     messages   to send: RequestMessage headers, each followed by its bytes and padded
//     queue      from the worker to the session: rows, errors, and at last the outcome
//     version    of the library that the session has loaded
//
// A message in the queue begins with a byte that says what it is. Errors and warnings are those of PostgreSQL's own
// protocol, as parallel workers send them.
//
// The library may have been replaced since the session loaded it, and the worker loads what is installed now. So that it can tell
// the session, three things stay as they are for ever: kRequestMagic, the keys of queue and version, and how an error is passed on.
// The worker looks at nothing else before it has found the versions equal.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "backend/channel.h"
#include "backend/random_id.h"
#include "backend/server.h"
#include "protocol/conversation.h"

extern "C" {
#include "storage/dsm.h"
#include "storage/shm_mq.h"
#include "storage/shm_toc.h"
}

namespace socketio {

inline constexpr std::uint64_t kRequestMagic = 0x736f636b65746174;
inline constexpr std::uint64_t kUnversionedMagic = 0x736f636b65746173;  // of 0.1.0, where the queue has the same key
inline constexpr std::size_t kRequestQueueSize = 64 * 1024;

enum RequestKey : std::uint64_t {
    kRequestHeader,
    kRequestNamespace,
    kRequestSocket,
    kRequestSettings,
    kRequestMessages,
    kRequestQueue,
    kRequestVersion,
    kRequestKeys
};

struct RequestHeader {
    Oid database;
    Oid session_role;  // who connected, and as whom the worker connects
    Oid role;          // as whom it works
    int security_context;
    Question question;
    bool has_prefix;  // whether channel_prefix is among the settings
    RandomId request_id;
    ConversationLimits limits;
    Channel channel;
    std::size_t nsp_size;
    std::size_t socket_size;
    std::size_t settings_size;
    std::size_t messages_size;
};

// When a message is sent: as the request is made, or when the wanted socket has been found.
enum class Moment { kAtOnce, kWhenFound };

struct RequestMessage {
    std::size_t size;
    Moment moment;
    int kind;  // as the dialect has it
};

// Builds of one version differ while it is being made, so what is shared counts, too.
struct RequestVersion {
    char library[32];
    std::uint64_t layout;

    bool operator==(const RequestVersion& other) const {
        return std::strncmp(library, other.library, sizeof library) == 0 && layout == other.layout;
    }
};

// That of this build.
const RequestVersion& request_version();

// What begins a message in the queue, beside those of PostgreSQL's protocol.
inline constexpr char kRowMessage = 'D';      // int32 count of fields, then int32 length (-1: null) and bytes of each
inline constexpr char kOutcomeMessage = 'C';  // an Outcome; the last one
inline constexpr char kErrorMessage = 'E';
inline constexpr char kNoticeMessage = 'N';

}  // namespace socketio
