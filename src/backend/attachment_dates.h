// When the rows of an attachment table are dated.
//
// Servers delete rows by age, by default those older than 30 seconds: all rows, and perhaps before they have read one that was
// old when it became visible. So created_at has to be the time at which servers are told of the row, not that of the emit:
//
//     emit                       COMMIT                         the worker notifies
//      | by NOTIFY: dated now     | and now, if that was         |
//      |                          | half a second ago            |
//      |                          |                              |
//      | by the worker: dated a day ahead                        | dated back to now, right behind
//
// Nobody can tell when a transaction will commit, so that what is dated ahead by some minutes could still be late; and rows that
// stay so far ahead take the disk space of minutes. A transaction that commits soon pays nothing. Between its commit and the
// worker's there is no end to what may happen: a day is long enough for it, and for what is never dated back not too long.
//
// A commit and the worker must not run what the table's owner may have put there: triggers, rules, policies, checks, expressions.
// A table that has any of it which an UPDATE would run, and one that is no plain table, is left alone. Its rows are dated ten
// minutes ahead once and for all.

#pragma once

#include <cstddef>
#include <string_view>

#include "backend/server.h"

extern "C" {
#include "datatype/timestamp.h"
#include "utils/rel.h"
}

namespace socketio {

// How servers are told of a row.
enum class Announcement { kAtCommit, kByWorker };

// A message in the attachment table.
struct Attachment {
    const char* id;
    std::size_t size;  // of the message
    Oid table;         // for the worker, to date the row back; else InvalidOid
};

// Whether an UPDATE of created_at runs no code but the server's. The table is locked against changes of its definition.
bool can_be_dated_again(Relation table);

// What a row is dated that is about to be inserted.
TimestampTz attachment_date(bool can_be_dated, Announcement announcement);

// Remember a row of the current transaction's that was dated so, to be dated again if the commit comes late.
void remember_attachment(Oid table, const char* id, TimestampTz date);

// Date rows that have become old. Behind all that may wait in a commit.
void date_attachments_before_commit();

// At the end of a transaction.
void forget_attachments();

// Date the rows which `records` announce with the current time, as far as that can be done at once.
void date_announced_attachments(std::string_view records);

// For the worker: the same in a transaction of its own, after that which has sent the records. Never fails.
void date_sent_attachments(std::string_view records);

}  // namespace socketio
