// socketio_servers: the Socket.IO servers of a namespace.

#include <charconv>

#include "backend/guard.h"
#include "functions/asking.h"

extern "C" {
#include "datatype/timestamp.h"
#include "utils/timestamp.h"
}

namespace socketio {

namespace {

Datum interval_datum(std::string_view microseconds) {
    auto* interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
    std::from_chars(microseconds.data(), microseconds.data() + microseconds.size(), interval->time);
    return IntervalPGetDatum(interval);
}

// (uid, node, latency), as Question::kServers has them
void put_server(const RowFields& server, void* rows) {
    bool nulls[3] = {};
    const Datum values[] = {text_field(server, 0, nulls[0]), text_field(server, 1, nulls[1]),
                            interval_datum(server[2])};
    put_row(static_cast<ReturnSetInfo*>(rows), values, nulls);
}

// (nsp, timeout)
Datum servers(FunctionCallInfo fcinfo) {
    Destination destination;
    read_namespace_target(fcinfo, 0, destination);
    Request request = {Question::kServers, destination.target, read_timeout(fcinfo, 1)};
    make_request(request, put_server, begin_rows(fcinfo));
    return Datum(0);
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_servers, socketio::servers);
