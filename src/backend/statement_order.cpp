// See statement_order.h.

#include "backend/statement_order.h"

#include <cstring>

#include "backend/notify.h"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
}

namespace socketio {

struct Notification {
    Notification* next;
    Channel channel;
    int nest_level;  // of the savepoint it goes with
    bool has_attachment;
    Attachment attachment;
    std::size_t size;

    char* payload() { return reinterpret_cast<char*>(this + 1); }
};

// In the order in which they are to be sent.
struct Notifications {
    Notification* first;
    Notification* last;
};

namespace {

constexpr int kOps = 3;

// A statement that is not done. Lives in the transaction's memory.
struct Statement {
    Statement* below;       // the one that began before it
    Statement* outer;       // the one on the same table that it is nested in
    bool is_behind;         // the outer one: its events wait
    bool has_changed_rows;  // as far as is known
    Oid table;
    int trigger_depth;
    int nest_level;
    Oid last_triggers[kOps];  // that fire for what it may do, the last of each kind; invalid when that has fired
    Notifications events;     // its own, where they wait
    Notifications nested;     // those of statements nested in it, which wait for it
};

Statement* innermost = nullptr;
Notifications* postponed = nullptr;  // where notifications go that wait
int postponed_level = 0;             // the savepoint that this was said in
bool is_registered = false;

int op_number(const TriggerData* trigger) {
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) {
        return 0;
    }
    return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? 1 : 2;
}

bool is_for(const Trigger* trigger, int op) {
    constexpr int16 kTypes[kOps] = {TRIGGER_TYPE_INSERT, TRIGGER_TYPE_UPDATE, TRIGGER_TYPE_DELETE};
    return (trigger->tgtype & kTypes[op]) != 0 && TRIGGER_FOR_AFTER(trigger->tgtype) &&
           !TRIGGER_FOR_ROW(trigger->tgtype);
}

bool is_enabled(const Trigger* trigger) {
    const bool is_replica = SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA;
    return trigger->tgenabled == TRIGGER_FIRES_ALWAYS ||
           trigger->tgenabled == (is_replica ? TRIGGER_FIRES_ON_REPLICA : TRIGGER_FIRES_ON_ORIGIN);
}

// The trigger that fires last of those that emit what the statement does. One with a condition, or for certain columns, may not
// fire at all, so it is not waited for.
Oid find_last_trigger(const TriggerDesc* triggers, int op, Oid emitter) {
    for (int i = triggers->numtriggers - 1; i >= 0; --i) {
        const Trigger* trigger = &triggers->triggers[i];
        if (trigger->tgfoid == emitter && is_for(trigger, op) && is_enabled(trigger) && trigger->tgqual == nullptr &&
            trigger->tgnattr == 0) {
            return trigger->tgoid;
        }
    }
    return InvalidOid;
}

int trigger_depth() {
    LOCAL_FCINFO(fcinfo, 0);
    InitFunctionCallInfoData(*fcinfo, nullptr, 0, InvalidOid, nullptr, nullptr);
    return DatumGetInt32(pg_trigger_depth(fcinfo));
}

Statement* find_statement(Statement* from, Oid table) {
    while (from != nullptr && from->table != table) {
        from = from->below;
    }
    return from;
}

bool is_done(const Statement* statement) {
    return !OidIsValid(statement->last_triggers[0]) && !OidIsValid(statement->last_triggers[1]) &&
           !OidIsValid(statement->last_triggers[2]);
}

// INSERT ... ON CONFLICT DO UPDATE and MERGE fire BEFORE triggers for more than one kind, before they write anything.
bool is_same_statement(const Statement* statement, int op) {
    return statement->trigger_depth == trigger_depth() && statement->nest_level == GetCurrentTransactionNestLevel() &&
           !OidIsValid(statement->last_triggers[op]) && !AfterTriggerPendingOnRel(statement->table);
}

// Whether a statement that begins comes behind `outer`: see the top of statement_order.h.
bool comes_behind(Statement* outer) {
    if (!outer->has_changed_rows) {  // else it is not asked again, which would take the longer the more rows there are
        outer->has_changed_rows = !OidIsValid(outer->last_triggers[0]) || AfterTriggerPendingOnRel(outer->table);
    }
    return outer->has_changed_rows;
}

void append(Notifications& list, Notifications& more) {
    if (more.first == nullptr) {
        return;
    }
    (list.last == nullptr ? list.first : list.last->next) = more.first;
    list.last = more.last;
    more = {nullptr, nullptr};
}

// Where the events of `statement` go: null where there is nothing to wait for.
Notifications* events_of(Statement* statement) {
    while (statement != nullptr && !statement->is_behind) {
        statement = statement->outer;
    }
    return statement == nullptr ? nullptr : &statement->events;
}

void send(Notifications& list) {
    Notification* next;
    for (Notification* sent = list.first; sent != nullptr; sent = next) {
        next = sent->next;
        notify(sent->channel, sent->payload(), sent->size, sent->has_attachment ? &sent->attachment : nullptr);
        pfree(sent);
    }
    list = {nullptr, nullptr};
}

void pass_on(Notifications& list, Notifications* destination) {
    if (destination != nullptr) {
        append(*destination, list);
    } else {
        send(list);
    }
}

void unlink(Statement* statement) {
    Statement** link = &innermost;
    while (*link != statement) {
        link = &(*link)->below;
    }
    *link = statement->below;
    for (Statement* other = innermost; other != statement->below; other = other->below) {
        if (other->outer == statement) {  // its triggers fire later, as those of a foreign key that cascades do
            other->outer = statement->outer;
            other->is_behind = statement->is_behind;
        }
    }
}

void finish(Statement* statement) {
    unlink(statement);
    if (statement->is_behind) {
        append(statement->outer->nested, statement->events);
        append(statement->outer->nested, statement->nested);
    } else {
        pass_on(statement->nested, events_of(statement->outer));
    }
    pfree(statement);
}

// In the order of the statements, the outermost first.
void send_rest(Statement* statement) {
    if (statement == nullptr) {
        return;
    }
    send_rest(statement->below);
    send(statement->events);
    send(statement->nested);
}

void forget() {
    innermost = nullptr;  // the memory goes with the transaction
    postponed = nullptr;
}

void on_transaction(XactEvent event, void*) {
    if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE) {
        postponed = nullptr;
        send_rest(innermost);
    }
    forget();
}

void drop_since(Notifications& list, int nest_level) {
    Notifications kept = {nullptr, nullptr};
    Notification* next;
    for (Notification* one = list.first; one != nullptr; one = next) {
        next = one->next;
        if (one->nest_level >= nest_level) {
            pfree(one);
            continue;
        }
        one->next = nullptr;
        Notifications single = {one, one};
        append(kept, single);
    }
    list = kept;
}

void abort_since(int nest_level) {
    while (innermost != nullptr && innermost->nest_level >= nest_level) {
        innermost = innermost->below;
    }
    for (Statement* statement = innermost; statement != nullptr; statement = statement->below) {
        drop_since(statement->events, nest_level);
        drop_since(statement->nested, nest_level);
    }
    if (postponed_level >= nest_level) {
        postponed = nullptr;
    }
}

void lift(const Notifications& list, int nest_level) {
    for (Notification* one = list.first; one != nullptr; one = one->next) {
        one->nest_level = Min(one->nest_level, nest_level);
    }
}

void lift_to(int nest_level) {
    for (Statement* statement = innermost; statement != nullptr; statement = statement->below) {
        statement->nest_level = Min(statement->nest_level, nest_level);
        lift(statement->events, nest_level);
        lift(statement->nested, nest_level);
    }
}

void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
    if (innermost == nullptr) {
        return;
    }
    if (event == SUBXACT_EVENT_ABORT_SUB) {
        abort_since(GetCurrentTransactionNestLevel());
    } else if (event == SUBXACT_EVENT_COMMIT_SUB) {
        lift_to(GetCurrentTransactionNestLevel() - 1);
    }
}

// Behind watch_transactions(), so that what waits is sent before that looks at what is to be delivered.
void watch_statements() {
    if (!is_registered) {
        RegisterXactCallback(on_transaction, nullptr);
        RegisterSubXactCallback(on_subtransaction, nullptr);
        is_registered = true;
    }
}

Statement* push_statement(Oid table) {
    watch_statements();
    Statement* outer = find_statement(innermost, table);
    auto* statement = static_cast<Statement*>(MemoryContextAllocZero(TopTransactionContext, sizeof(Statement)));
    statement->below = innermost;
    statement->outer = outer;
    statement->is_behind = outer != nullptr && comes_behind(outer);
    statement->table = table;
    statement->trigger_depth = trigger_depth();
    statement->nest_level = GetCurrentTransactionNestLevel();
    innermost = statement;
    return statement;
}

// The statement that an AFTER trigger is fired for.
Statement* find_fired(const TriggerData* trigger) {
    const int op = op_number(trigger);
    const Oid table = RelationGetRelid(trigger->tg_relation);
    Statement* found = find_statement(innermost, table);
    while (found != nullptr && !OidIsValid(found->last_triggers[op])) {
        found = find_statement(found->below, table);
    }
    return found;
}

}  // namespace

void require_order_trigger(Relation relation, const Trigger* trigger) {
    if (TRIGGER_FOR_BEFORE(trigger->tgtype) && !TRIGGER_FOR_ROW(trigger->tgtype) &&
        !TRIGGER_FOR_TRUNCATE(trigger->tgtype)) {
        return;
    }
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("trigger \"%s\" on table \"%s\" must fire BEFORE the statement", trigger->tgname,
                           RelationGetRelationName(relation)),
                    errdetail("It says that a statement begins; the triggers after it say what was changed."),
                    errhint("Create it with BEFORE INSERT OR UPDATE OR DELETE and FOR EACH STATEMENT.")));
}

void begin_statement(const TriggerData* trigger, Oid emitter) {
    const int op = op_number(trigger);
    const Oid last_trigger = find_last_trigger(trigger->tg_relation->trigdesc, op, emitter);
    if (!OidIsValid(last_trigger)) {
        return;
    }
    const Oid table = RelationGetRelid(trigger->tg_relation);
    Statement* statement = find_statement(innermost, table);
    if (statement == nullptr || !is_same_statement(statement, op)) {
        statement = push_statement(table);
    }
    statement->last_triggers[op] = last_trigger;
}

StatementEvents::StatementEvents(const TriggerData* trigger)
    : trigger_(trigger), outer_(postponed), outer_level_(postponed_level) {
    if (innermost != nullptr) {
        postponed = events_of(find_fired(trigger));
        postponed_level = GetCurrentTransactionNestLevel();
    }
}

void StatementEvents::end() {
    postponed = outer_;
    postponed_level = outer_level_;
    Statement* statement = innermost == nullptr ? nullptr : find_fired(trigger_);
    if (statement == nullptr || statement->last_triggers[op_number(trigger_)] != trigger_->tg_trigger->tgoid) {
        return;
    }
    statement->last_triggers[op_number(trigger_)] = InvalidOid;
    if (is_done(statement)) {
        finish(statement);
    }
}

bool are_notifications_postponed() { return postponed != nullptr; }

void postpone_notification(const Channel& channel, const char* payload, std::size_t size,
                           const Attachment* attachment) {
    const std::size_t id_size = attachment == nullptr ? 0 : std::strlen(attachment->id) + 1;
    auto* one = static_cast<Notification*>(
        MemoryContextAlloc(TopTransactionContext, sizeof(Notification) + size + 1 + id_size));
    one->next = nullptr;
    one->channel = channel;
    one->nest_level = GetCurrentTransactionNestLevel();
    one->has_attachment = attachment != nullptr;
    one->size = size;
    std::memcpy(one->payload(), payload, size + 1);
    if (attachment != nullptr) {
        char* id = one->payload() + size + 1;
        std::memcpy(id, attachment->id, id_size);
        one->attachment = {id, attachment->size, attachment->table};
    }
    Notifications single = {one, one};
    append(*postponed, single);
}

}  // namespace socketio
