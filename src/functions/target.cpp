// socketio_of, socketio_to, socketio_in, socketio_except, socketio_volatile, socketio_compress: build a
// socketio_target step by step. Each takes a target and returns a changed copy.

#include <algorithm>

#include "backend/channel.h"
#include "backend/guard.h"
#include "backend/text.h"
#include "functions/arguments.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
}

namespace socketio {

namespace {

// The result type's description, looked up once per call site.
TupleDesc result_descriptor(FunctionCallInfo fcinfo) {
    FmgrInfo* call_site = fcinfo->flinfo;
    if (call_site->fn_extra == nullptr) {
        TupleDesc descriptor;
        if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE) {
            elog(ERROR, "return type must be a row type");
        }
        const MemoryContext caller_context = MemoryContextSwitchTo(call_site->fn_mcxt);
        call_site->fn_extra = BlessTupleDesc(CreateTupleDescCopy(descriptor));
        MemoryContextSwitchTo(caller_context);
    }
    return static_cast<TupleDesc>(call_site->fn_extra);
}

void set(TargetRow& row, TargetField field, Datum value) {
    row.values[field] = value;
    row.nulls[field] = false;
}

// A target made by a function of ours has no NULL but an open `compress`.
void fill_defaults(TargetRow& row) {
    if (row.nulls[kNsp]) {
        set(row, kNsp, CStringGetTextDatum("/"));
    }
    if (row.nulls[kRooms]) {
        set(row, kRooms, PointerGetDatum(construct_empty_array(TEXTOID)));
    }
    if (row.nulls[kExceptRooms]) {
        set(row, kExceptRooms, PointerGetDatum(construct_empty_array(TEXTOID)));
    }
    if (row.nulls[kVolatile]) {
        set(row, kVolatile, BoolGetDatum(false));
    }
}

Datum return_target(FunctionCallInfo fcinfo, TargetRow& row) {
    TupleDesc descriptor = result_descriptor(fcinfo);
    require_target_type(descriptor);
    fill_defaults(row);
    return HeapTupleGetDatum(heap_form_tuple(descriptor, row.values, row.nulls));
}

// (nsp)
Datum of(FunctionCallInfo fcinfo) {
    TargetRow row = kEveryone;
    const std::string_view nsp = read_namespace(fcinfo, 0);
    set(row, kNsp, PointerGetDatum(cstring_to_text_with_len(nsp.data(), static_cast<int>(nsp.size()))));
    return return_target(fcinfo, row);
}

struct RoomDatums {
    Datum* values = nullptr;
    int count = 0;
};

RoomDatums rooms_of(Datum array) {
    RoomDatums rooms;
    bool* nulls;
    deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &rooms.values, &nulls, &rooms.count);
    return rooms;
}

Datum array_of_both(const RoomDatums& first, const RoomDatums& second) {
    const int count = first.count + second.count;
    auto* all = static_cast<Datum*>(palloc(count * sizeof(Datum)));
    std::copy_n(second.values, second.count, std::copy_n(first.values, first.count, all));
    return PointerGetDatum(construct_array(all, count, TEXTOID, -1, false, TYPALIGN_INT));
}

// Append the rooms of `argument` to a field. They are checked here, where the mistake is made; duplicates go when a
// message is sent.
void add_rooms(FunctionCallInfo fcinfo, int argument, TargetRow& row, TargetField field) {
    RoomScratch scratch;
    read_required_rooms(fcinfo, argument, "rooms", scratch);
    const RoomDatums added = rooms_of(PG_GETARG_DATUM(argument));
    const RoomDatums present = row.nulls[field] ? RoomDatums() : rooms_of(row.values[field]);
    set(row, field, array_of_both(present, added));
}

template <TargetField field>
Datum with_rooms(FunctionCallInfo fcinfo) {  // (VARIADIC rooms)
    TargetRow row = kEveryone;
    add_rooms(fcinfo, 0, row, field);
    return return_target(fcinfo, row);
}

template <TargetField field>
Datum target_with_rooms(FunctionCallInfo fcinfo) {  // (target, VARIADIC rooms)
    TargetRow row = read_target_row(fcinfo, 0);
    add_rooms(fcinfo, 1, row, field);
    return return_target(fcinfo, row);
}

// (target)
Datum make_volatile(FunctionCallInfo fcinfo) {
    TargetRow row = read_target_row(fcinfo, 0);
    set(row, kVolatile, BoolGetDatum(true));
    return return_target(fcinfo, row);
}

void set_compress(FunctionCallInfo fcinfo, int argument, TargetRow& row) {
    row.values[kCompress] = PG_GETARG_DATUM(argument);
    row.nulls[kCompress] = PG_ARGISNULL(argument);
}

// (compress)
Datum compress(FunctionCallInfo fcinfo) {
    TargetRow row = kEveryone;
    set_compress(fcinfo, 0, row);
    return return_target(fcinfo, row);
}

// (target, compress)
Datum compress_target(FunctionCallInfo fcinfo) {
    TargetRow row = read_target_row(fcinfo, 0);
    set_compress(fcinfo, 1, row);
    return return_target(fcinfo, row);
}

}  // namespace

}  // namespace socketio

SQL_FUNCTION(socketio_of, socketio::of);
SQL_FUNCTION(socketio_to_rooms, socketio::with_rooms<socketio::kRooms>);
SQL_FUNCTION(socketio_target_to_rooms, socketio::target_with_rooms<socketio::kRooms>);
SQL_FUNCTION(socketio_except_rooms, socketio::with_rooms<socketio::kExceptRooms>);
SQL_FUNCTION(socketio_target_except_rooms, socketio::target_with_rooms<socketio::kExceptRooms>);
SQL_FUNCTION(socketio_volatile, socketio::make_volatile);
SQL_FUNCTION(socketio_compress, socketio::compress);
SQL_FUNCTION(socketio_target_compress, socketio::compress_target);
