// PostgreSQL's own queue of notifications, one for the whole cluster, when it is full.
//
// A session that listens and stays in a transaction keeps what it has not read in the queue. Once the queue is full, every COMMIT that
// notifies fails. And goes on failing when that session is gone: the queue's tail is moved by who has notified, and by
// pg_notification_queue_usage(), but by nobody who has failed. So a commit of ours that fails moves the tail, for the next one.

#pragma once

namespace socketio {

// Have a COMMIT that finds the queue full say what to do, and move the queue's tail. Once, when the library is loaded.
void watch_notify_queue();

// Give back the room of what all sessions that listen have read.
void move_notify_tail();

}  // namespace socketio
