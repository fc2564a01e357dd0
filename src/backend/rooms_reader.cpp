// See rooms_reader.h.

#include "backend/rooms_reader.h"

#include <cstring>

#include "backend/array_elements.h"
#include "backend/text.h"

extern "C" {
#include "miscadmin.h"
}

namespace socketio {

namespace {

[[noreturn]] void report_null_room(const char* parameter) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not contain NULL", parameter),
                    errdetail("A room that is unknown cannot be addressed, and leaving it out could reach everyone."),
                    errhint("Remove NULLs, for example with array_remove(%s, NULL).", parameter)));
    pg_unreachable();
}

// An array of less than 128 bytes that comes out of a row (of a socketio_target, say) has a short header, which array
// access does not understand. It is given a long one here; DatumGetAnyArrayP() would allocate for it.
AnyArrayType* widen_header(const struct varlena* array, RoomScratch& scratch) {
    const std::size_t size = VARSIZE_SHORT(array) - VARHDRSZ_SHORT;
    std::memcpy(scratch.short_array + VARHDRSZ, VARDATA_SHORT(array), size);
    SET_VARSIZE(scratch.short_array, size + VARHDRSZ);
    return reinterpret_cast<AnyArrayType*>(scratch.short_array);
}

AnyArrayType* open_array(Datum array, RoomScratch& scratch) {
    const auto* varlena = reinterpret_cast<const struct varlena*>(DatumGetPointer(array));
    // What is toasted or expanded counts as "short", too, by the bit that VARATT_IS_SHORT looks at.
    const bool is_short = VARATT_IS_SHORT(varlena) && !VARATT_IS_EXTERNAL(varlena);
    return is_short ? widen_header(varlena, scratch) : DatumGetAnyArrayP(array);
}

}  // namespace

Rooms read_rooms(Datum array, const char* parameter, RoomScratch& scratch) {
    AnyArrayType* rooms = open_array(array, scratch);
    if (AARR_NDIM(rooms) == 0) {
        return {};
    }
    const auto count = static_cast<std::size_t>(count_elements(rooms));
    auto* names = count <= RoomScratch::kFewRooms
                      ? scratch.names
                      : static_cast<std::string_view*>(palloc(count * sizeof(std::string_view)));
    ArrayElements elements(rooms, {-1, false, TYPALIGN_INT});
    for (std::size_t i = 0; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        const NullableDatum room = elements.next();
        if (room.isnull) {
            report_null_room(parameter);
        }
        names[i] = to_utf8(varlena_view(PG_DETOAST_DATUM_PACKED(room.value)));
    }
    return {names, count == 1 ? 1 : drop_duplicate_rooms(names, count)};
}

}  // namespace socketio
