// See listeners.h.

#include "backend/listeners.h"

#include "backend/server.h"
#include "backend/text.h"

extern "C" {
#include "common/string.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/backend_status.h"
}

namespace socketio {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

const PgBackendStatus& backend_status(int number) {
#if PG_VERSION_NUM >= 160000
    return pgstat_get_local_beentry_by_index(number)->backendStatus;
#else
    return pgstat_fetch_stat_local_beentry(number)->backendStatus;
#endif
}

std::string_view without_leading_space(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kSpace);
    return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// The channel of a command such as `LISTEN "socket.io#/"`, or nothing if it is no such command. Adapters quote the name, and
// escape nothing in it.
std::string_view listened_channel(std::string_view command) {
    constexpr std::string_view kListen = "listen";
    command = without_leading_space(command);
    if (command.size() <= kListen.size() || pg_strncasecmp(command.data(), kListen.data(), kListen.size()) != 0) {
        return {};
    }
    command = without_leading_space(command.substr(kListen.size()));
    if (command.empty() || command.front() != '"') {
        return {};
    }
    return command.substr(1, command.find('"', 1) - 1);
}

// Call `look` with each other connection to this database.
template <class Look>
void look_at_connections(const Look& look) {
    const int count = pgstat_fetch_stat_numbackends();
    for (int i = 1; i <= count; ++i) {
        const PgBackendStatus& status = backend_status(i);
        if (status.st_databaseid == MyDatabaseId && status.st_procpid != MyProcPid) {
            look(status);
        }
    }
}

bool begins_with(std::string_view text, std::string_view begin) { return text.substr(0, begin.size()) == begin; }

// What PostgreSQL keeps of an application_name: it cuts it, makes it ASCII, and cuts what has grown by that.
std::string_view kept_name(std::string_view name) {
    char* cut = pnstrdup(name.data(), pg_mbcliplen(name.data(), static_cast<int>(name.size()), NAMEDATALEN - 1));
#if PG_VERSION_NUM >= 160000
    const char* kept = pg_clean_ascii(cut, 0);
#else
    pg_clean_ascii(cut);
    const char* kept = cut;
#endif
    return {kept, strnlen(kept, NAMEDATALEN - 1)};
}

}  // namespace

Listeners count_listeners(std::string_view channel, std::string_view prefix) {
    Listeners listeners;
    listeners.is_main = begins_with(channel, prefix) && channel.substr(prefix.size()) == "#/";
    look_at_connections([&](const PgBackendStatus& status) {
        const std::string_view listened = listened_channel(status.st_activity_raw);
        if (listened == channel) {
            ++listeners.sure;
        } else if (begins_with(listened, prefix) && listened.substr(prefix.size(), 1) == "#") {
            ++listeners.possible;
        }
    });
    return listeners;
}

Listeners count_applications(std::string_view names, std::string_view nsp) {
    Listeners listeners;
    listeners.is_main = nsp == "/";
    const std::string_view kept = kept_name(concatenate({names, nsp, "#"}));
    const std::string_view beginning = kept_name(names);
    look_at_connections([&](const PgBackendStatus& status) {
        if (status.st_appname == kept) {
            ++listeners.sure;
        } else if (begins_with(status.st_appname, beginning)) {
            ++listeners.possible;
        }
    });
    return listeners;
}

}  // namespace socketio
