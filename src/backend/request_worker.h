// The background worker that asks the cluster something for a session (cluster_request.h).

#pragma once

namespace socketio {

inline constexpr char kRequestWorkerType[] = "socketio_emitter request";
inline constexpr char kRequestWorkerFunction[] = "socketio_request_worker";

// Whether this process is one.
bool is_request_worker();

}  // namespace socketio
