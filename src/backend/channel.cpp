// See channel.h.

#include "backend/channel.h"

#include <cstring>

#include "backend/settings.h"

namespace socketio {

namespace {

[[noreturn]] void report_too_long(std::string_view nsp, std::size_t length) {
    ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG),
                    errmsg("channel name \"%s#%.*s\" is too long", settings.channel_prefix,
                           static_cast<int>(nsp.size()), nsp.data()),
                    errdetail("It has %zu bytes; PostgreSQL allows %d.", length, kMaxChannelName),
                    errhint("Shorten the namespace or socketio_emitter.channel_prefix.")));
    pg_unreachable();
}

}  // namespace

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

void name_channel(Channel& channel, std::string_view nsp) {
    const std::string_view prefix = settings.channel_prefix;
    const std::size_t length = prefix.size() + 1 + nsp.size();
    if (length > kMaxChannelName) {
        report_too_long(nsp, length);
    }
    std::memcpy(channel.name, prefix.data(), prefix.size());
    channel.name[prefix.size()] = '#';
    std::memcpy(channel.name + prefix.size() + 1, nsp.data(), nsp.size());
    channel.name[length] = '\0';
}

}  // namespace socketio
