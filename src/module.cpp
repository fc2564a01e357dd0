// The shared library's entry points for the server.

#include "backend/server.h"
#include "backend/settings.h"

extern "C" {

__attribute__((visibility("default"))) const Pg_magic_struct* PG_MAGIC_FUNCTION_NAME(void);
PG_MODULE_MAGIC;

__attribute__((visibility("default"))) void _PG_init();

// Called once when the library is loaded into a backend: at the first call of a function, or by
// shared_preload_libraries.
void _PG_init() { socketio::define_settings(); }

}  // extern "C"
