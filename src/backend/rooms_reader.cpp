// See rooms_reader.h.

#include "backend/rooms_reader.h"

#include "backend/text.h"

extern "C" {
#include "utils/array.h"
#include "utils/arrayaccess.h"
}

namespace socketio {

namespace {

[[noreturn]] void report_null_room(const char* parameter) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not contain NULL", parameter),
                    errdetail("A room that is unknown cannot be addressed, and leaving it out could reach everyone."),
                    errhint("Remove NULLs, for example with array_remove(%s, NULL).", parameter)));
    pg_unreachable();
}

}  // namespace

Rooms read_rooms(Datum array, const char* parameter, RoomScratch& scratch) {
    AnyArrayType* rooms = DatumGetAnyArrayP(array);
    if (AARR_NDIM(rooms) == 0) {
        return {};
    }
    const auto count = static_cast<std::size_t>(ArrayGetNItems(AARR_NDIM(rooms), AARR_DIMS(rooms)));
    auto* names = count <= scratch.size()
                      ? scratch.data()
                      : static_cast<std::string_view*>(palloc(count * sizeof(std::string_view)));
    array_iter iterator;
    array_iter_setup(&iterator, rooms);
    for (std::size_t i = 0; i < count; ++i) {
        bool is_null;
        const Datum room = array_iter_next(&iterator, &is_null, static_cast<int>(i), -1, false, TYPALIGN_INT);
        if (is_null) {
            report_null_room(parameter);
        }
        names[i] = to_utf8(varlena_view(PG_DETOAST_DATUM_PACKED(room)));
    }
    return {names, count == 1 ? 1 : drop_duplicate_rooms(names, count)};
}

}  // namespace socketio
