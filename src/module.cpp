// The shared library's entry points for the server.

#include "backend/delivery_queue.h"
#include "backend/held_emits.h"
#include "backend/notify_queue.h"
#include "backend/owners_code.h"
#include "backend/server.h"
#include "backend/settings.h"

extern "C" {
#include "miscadmin.h"
}

extern "C" {

__attribute__((visibility("default"))) const Pg_magic_struct* PG_MAGIC_FUNCTION_NAME(void);
PG_MODULE_MAGIC;

__attribute__((visibility("default"))) void _PG_init();

// Called once when the library is loaded into a backend: at the first call of a function, or by
// shared_preload_libraries.
void _PG_init() {
    socketio::define_settings();
    socketio::install_code_guard();
    if (process_shared_preload_libraries_in_progress) {
        socketio::request_delivery_queues();
    }
    // First, so that it is called last: nothing comes between it and the commit.
    socketio::watch_notify_queue();
    socketio::watch_transactions();
}

}  // extern "C"
