// What the catalogs say of the extension itself.

#pragma once

#include "backend/server.h"

namespace socketio {

// The schema the extension is in, and the role that created it. ERROR 42704 where the extension does not exist in this
// database, which takes functions made by hand, or a worker that cannot see it before it is committed.
Oid extension_schema();
Oid extension_owner();

// Whether `table` is one of the extension's own objects.
bool belongs_to_extension(Oid table);

Oid table_owner(Oid table);

// For CREATE EXTENSION alone: let the role that creates the extension call `function`, and grant it on. A trusted
// extension's functions belong to the superuser in whose name the script runs.
void grant_to_extension_owner(Oid function);

// ERROR XX000 anywhere but in the script of CREATE EXTENSION.
void require_creating_extension();

// Record, unless it is recorded, that the extension builds on `table`, which the application made, so that pg_dump puts
// the table first. Restored the other way round, the extension would make a table of that name and the application's
// would fail as a duplicate.
void require_before_extension(Oid table);

}  // namespace socketio
