// The extension's settings: everything under `socketio_emitter.` that SET, ALTER ROLE, ALTER DATABASE and ALTER
// FUNCTION ... SET understand.

#pragma once

namespace socketio {

// How notifications leave.
enum Delivery {
    kDeliverByNotify,  // by the transaction that emits
    kDeliverByWorker,  // by a background worker, after that transaction has committed
};

struct Settings {
    int protocol;            // number of a Dialect
    char* channel_prefix;    // what names on the wire begin with; null where the dialect's default is to be used
    char* attachment_table;  // table of the messages too large or too binary for NOTIFY; an SQL name
    int payload_threshold;   // bytes from which a message becomes an attachment
    int max_batch_bytes;     // most bytes of a message that holds several rows of a statement
    bool enabled;            // false makes every emit a no-op
    int delivery;            // a Delivery
    int queue_size;          // kB of each database's queue for the worker
    int max_databases;       // how many databases can have one
};

extern Settings settings;

// Register the settings with the server. Called once, when the library is loaded.
void define_settings();

}  // namespace socketio
