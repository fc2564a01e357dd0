// See request_segment.h.

#include "backend/request_segment.h"

#include "backend/library_version.h"

namespace socketio {

namespace {

// A number that is another one, as good as certainly, where what is shared has another layout.
constexpr std::uint64_t layout() {
    std::uint64_t number = 0;
    for (const std::uint64_t part :
         {sizeof(RequestHeader), offsetof(RequestHeader, security_context), offsetof(RequestHeader, question),
          offsetof(RequestHeader, request_id), offsetof(RequestHeader, limits), offsetof(RequestHeader, channel),
          offsetof(RequestHeader, nsp_size), offsetof(RequestHeader, messages_size), sizeof(RequestMessage),
          sizeof(Outcome), kRequestQueueSize, std::size_t(kRequestKeys)}) {
        number = number * 1099511628211 + part;
    }
    return number;
}

constexpr RequestVersion describe_build() {
    RequestVersion version = {{}, layout()};
    static_assert(sizeof kLibraryVersion <= sizeof version.library);
    for (std::size_t i = 0; i < sizeof kLibraryVersion; ++i) {
        version.library[i] = kLibraryVersion[i];
    }
    return version;
}

constexpr RequestVersion kVersion = describe_build();

}  // namespace

const RequestVersion& request_version() { return kVersion; }

}  // namespace socketio
