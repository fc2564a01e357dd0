// See arguments.h.

#include "functions/arguments.h"

#include "backend/text.h"
#include "protocol/event_name.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/typcache.h"
}

namespace socketio {

namespace {

std::string_view text_argument(FunctionCallInfo fcinfo, int argument) {
    return varlena_view(PG_GETARG_TEXT_PP(argument));
}

std::string_view namespace_of(Datum nsp, bool is_null) {
    return normalise_namespace(is_null ? std::string_view() : varlena_view(PG_DETOAST_DATUM_PACKED(nsp)));
}

[[noreturn]] void report_null_rooms(const char* parameter) {
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", parameter),
             errhint("Pass '{}' for no rooms; an aggregate over no rows is NULL: coalesce(array_agg(...), '{}').")));
    pg_unreachable();
}

}  // namespace

TargetRow read_target_row(FunctionCallInfo fcinfo, int argument) {
    TargetRow row = kEveryone;
    if (PG_ARGISNULL(argument)) {
        return row;
    }
    HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(argument);
    // Only read here and now, so there is no need to pin the description.
    TupleDesc descriptor = lookup_type_cache(HeapTupleHeaderGetTypeId(header), TYPECACHE_TUPDESC)->tupDesc;
    require_target_type(descriptor);
    HeapTupleData tuple;
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = InvalidOid;
    tuple.t_data = header;
    heap_deform_tuple(&tuple, descriptor, row.values, row.nulls);
    return row;
}

void require_target_type(TupleDesc descriptor) {
    constexpr Oid kTypes[kTargetFields] = {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, BOOLOID, BOOLOID};
    bool intact = descriptor != nullptr && descriptor->natts == kTargetFields;
    for (int i = 0; intact && i < kTargetFields; ++i) {
        intact = TupleDescAttr(descriptor, i)->atttypid == kTypes[i];
    }
    if (!intact) {
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("type socketio_target has been altered"),
                        errdetail("It no longer has the columns that CREATE EXTENSION gave it."),
                        errhint("Drop the extension and create it again.")));
    }
}

void read_target(FunctionCallInfo fcinfo, int argument, Destination& destination) {
    const TargetRow row = read_target_row(fcinfo, argument);
    Target& target = destination.target;
    target.nsp = to_utf8(namespace_of(row.values[kNsp], row.nulls[kNsp]));
    if (!row.nulls[kRooms]) {
        target.rooms = read_rooms(row.values[kRooms], "rooms", destination.rooms);
    }
    if (!row.nulls[kExceptRooms]) {
        target.except = read_rooms(row.values[kExceptRooms], "except_rooms", destination.except);
    }
    target.is_volatile = !row.nulls[kVolatile] && DatumGetBool(row.values[kVolatile]);
    if (!row.nulls[kCompress]) {
        target.compress = DatumGetBool(row.values[kCompress]);
    }
}

void read_flat_target(FunctionCallInfo fcinfo, Destination& destination) {
    read_namespace_target(fcinfo, 0, destination);
    destination.target.rooms = read_required_rooms(fcinfo, 1, "rooms", destination.rooms);
    destination.target.except = read_required_rooms(fcinfo, 2, "except_rooms", destination.except);
}

void read_namespace_target(FunctionCallInfo fcinfo, int argument, Destination& destination) {
    destination.target.nsp = to_utf8(read_namespace(fcinfo, argument));
}

std::string_view read_namespace(FunctionCallInfo fcinfo, int argument) {
    return namespace_of(PG_GETARG_DATUM(argument), PG_ARGISNULL(argument));
}

std::string_view read_event(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("event must not be NULL"),
                        errhint("Name the event: event => 'hello'.")));
    }
    return to_utf8(text_argument(fcinfo, argument));
}

std::string_view read_client_event(FunctionCallInfo fcinfo, int argument) {
    const std::string_view event = read_event(fcinfo, argument);
    if (is_reserved_event(event)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("\"%.*s\" is a reserved event name", static_cast<int>(event.size()), event.data()),
                        errdetail("Socket.IO emits connect, connect_error, disconnect, disconnecting, newListener and "
                                  "removeListener itself."),
                        errhint("Choose another name.")));
    }
    return event;
}

Rooms read_required_rooms(FunctionCallInfo fcinfo, int argument, const char* parameter, RoomScratch& scratch) {
    if (PG_ARGISNULL(argument)) {
        report_null_rooms(parameter);
    }
    return read_rooms(PG_GETARG_DATUM(argument), parameter, scratch);
}

}  // namespace socketio
