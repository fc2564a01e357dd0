// socketio_emit_with_ack, socketio_server_side_emit_with_ack, socketio_custom_request: events whose receivers answer.

#include "backend/guard.h"
#include "backend/jsonb_reader.h"
#include "functions/asking.h"

namespace socketio {

namespace {

// (server, response), as Question::kClientAcks and kServerAcks have them
void put_response(const RowFields& answer, void* rows) {
    const bool has_response = !answer.is_null(1);
    const Datum values[] = {text_datum(answer[0]), has_response ? jsonb_datum(answer[1]) : Datum(0)};
    const bool nulls[] = {false, !has_response};
    put_row(static_cast<ReturnSetInfo*>(rows), values, nulls);
}

void emit_with_ack(const Destination& destination, std::string_view event, const JsonbArguments& arguments,
                   Conversation::Time timeout, ReturnSetInfo* rows) {
    Request request;
    begin_request(request, Question::kClientAcks, destination.channel, destination.target.nsp, timeout);
    add_message(request,
                BroadcastWithAck<JsonbArguments>{{destination.target, event, arguments}, request.request_id()});
    make_request(request, put_response, rows);
}

template <class Arguments>
void server_side_emit_with_ack(const Destination& destination, std::string_view event, const Arguments& arguments,
                               Conversation::Time timeout, ReturnSetInfo* rows) {
    Request request;
    begin_request(request, Question::kServerAcks, destination.channel, destination.target.nsp, timeout);
    add_message(request,
                ServerSideEmitWithAck<Arguments>{destination.target.nsp, event, arguments, request.request_id()});
    make_request(request, put_response, rows);
}

// (nsp, rooms, except_rooms, event, args, timeout)
Datum emit_flat(FunctionCallInfo fcinfo) {
    ReturnSetInfo* rows = begin_rows(fcinfo);
    if (settings.enabled) {
        Destination destination;
        read_flat_target(fcinfo, destination);
        const std::string_view event = read_client_event(fcinfo, 3);
        emit_with_ack(destination, event, JsonbArguments(fcinfo, 4), read_timeout(fcinfo, 5), rows);
    }
    return Datum(0);
}

// (target, event, args)
Datum emit_to_target(FunctionCallInfo fcinfo) {
    ReturnSetInfo* rows = begin_rows(fcinfo);
    if (settings.enabled) {
        Destination destination;
        read_target(fcinfo, 0, destination);
        const std::string_view event = read_client_event(fcinfo, 1);
        emit_with_ack(destination, event, JsonbArguments(fcinfo, 2), kDefaultTimeout, rows);
    }
    return Datum(0);
}

// (nsp, event, args, timeout)
Datum server_side(FunctionCallInfo fcinfo) {
    ReturnSetInfo* rows = begin_rows(fcinfo);
    if (settings.enabled) {
        Destination destination;
        read_namespace_target(fcinfo, 0, destination);
        const std::string_view event = read_event(fcinfo, 1);
        server_side_emit_with_ack(destination, event, JsonbArguments(fcinfo, 2), read_timeout(fcinfo, 3), rows);
    }
    return Datum(0);
}

// One value is one argument, even if it is an array.
struct RequestData {
    Jsonb* data;

    std::uint32_t count() const { return 1; }
    void release() const {}

    template <class Writer>
    void write(Writer& writer) const {
        read_jsonb(data, writer);
    }
};

Jsonb* read_request_data(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("data must not be NULL"),
                        errhint("The null of JSON is 'null'::jsonb.")));
    }
    return PG_GETARG_JSONB_P(argument);
}

// (data, nsp, timeout)
Datum custom_request(FunctionCallInfo fcinfo) {
    constexpr std::string_view kEvent = "customRequest";
    ReturnSetInfo* rows = begin_rows(fcinfo);
    if (settings.enabled) {
        const RequestData data = {read_request_data(fcinfo, 0)};
        Destination destination;
        read_namespace_target(fcinfo, 1, destination);
        server_side_emit_with_ack(destination, kEvent, data, read_timeout(fcinfo, 2), rows);
    }
    return Datum(0);
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_emit_with_ack_flat, socketio::emit_flat);
SQL_FUNCTION(socketio_emit_with_ack_target, socketio::emit_to_target);
SQL_FUNCTION(socketio_server_side_emit_with_ack, socketio::server_side);
SQL_FUNCTION(socketio_custom_request, socketio::custom_request);
