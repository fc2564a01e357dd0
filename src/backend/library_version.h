// Which build of this library a process has loaded. A session keeps what it has loaded, whatever is installed meanwhile.

#pragma once

namespace socketio {

// The version in socketio_emitter.control.
inline constexpr char kLibraryVersion[] = SOCKETIO_EMITTER_VERSION;

}  // namespace socketio
