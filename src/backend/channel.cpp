// See channel.h.

#include "backend/channel.h"

#include <cstring>

namespace socketio {

std::string_view normalise_namespace(std::string_view nsp) {
    if (nsp.empty()) {
        return "/";
    }
    if (nsp.front() == '/') {
        return nsp;
    }
    char* normalised = static_cast<char*>(palloc(nsp.size() + 1));
    normalised[0] = '/';
    std::memcpy(normalised + 1, nsp.data(), nsp.size());
    return {normalised, nsp.size() + 1};
}

void report_channel_too_long(std::string_view prefix, std::string_view separator, std::string_view nsp) {
    ereport(ERROR,
            (errcode(ERRCODE_NAME_TOO_LONG),
             errmsg("channel name \"%.*s%.*s%.*s\" is too long", static_cast<int>(prefix.size()), prefix.data(),
                    static_cast<int>(separator.size()), separator.data(), static_cast<int>(nsp.size()), nsp.data()),
             errdetail("It has %zu bytes; PostgreSQL allows %d.", prefix.size() + separator.size() + nsp.size(),
                       kMaxChannelName),
             errhint("Shorten the namespace or socketio_emitter.channel_prefix.")));
    pg_unreachable();
}

}  // namespace socketio
