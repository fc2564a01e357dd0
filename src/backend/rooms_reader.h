// Reads rooms out of a text[].

#pragma once

#include <cstddef>
#include <string_view>

#include "backend/server.h"
#include "protocol/rooms.h"

namespace socketio {

// Where a few rooms are kept without an allocation, which is most of what reading them would cost.
struct RoomScratch {
    static constexpr std::size_t kFewRooms = 4;

    std::string_view names[kFewRooms];
    alignas(MAXIMUM_ALIGNOF) char short_array[VARATT_SHORT_MAX + VARHDRSZ];
};

// The distinct elements of `array` (a text[] Datum of any dimension), in order and as UTF-8. They live in the array, in
// `scratch` and in CurrentMemoryContext. `parameter` names the array in errors.
// ERROR 22004 for an element that is NULL.
Rooms read_rooms(Datum array, const char* parameter, RoomScratch& scratch);

}  // namespace socketio
