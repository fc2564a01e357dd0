// The privileges that the extension's objects are made with.
//
// ALTER DEFAULT PRIVILEGES may give others rights on whatever is created, or take PUBLIC's away: rights to read and forge
// attachments, to put a trigger on their table, to control sockets. CREATE EXTENSION leaves what README states, whatever
// the defaults are; ALTER EXTENSION UPDATE takes away what they gave once, and nothing that was granted on purpose.

#pragma once

#include "backend/server.h"

extern "C" {
#include "utils/array.h"
}

namespace socketio {

// For the extension's script alone, at its end. `closed_functions` (regprocedure[]) are those that only the extension's owner
// may call; the others PUBLIC may, as it may use the types and read the views. Tables and sequences are their owner's.
void settle_privileges(ArrayType* closed_functions);

}  // namespace socketio
