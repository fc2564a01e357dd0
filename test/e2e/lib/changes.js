// Row changes: tables for one test, the triggers that emit at either level, and what clients were told of single rows.

import assert from 'node:assert/strict';

// Where the tables of a test live.
export const SCHEMA = 'shop';

// Run `sql`, which makes the tables of a test, in an empty schema: DISCARD ALL between tests leaves tables alone.
export function makeTables(query, sql) {
  return query(`
    DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE;
    CREATE SCHEMA ${SCHEMA};
    SET search_path = ${SCHEMA}, public;
    ${sql}`);
}

export function emitChanges(...options) {
  return `EXECUTE FUNCTION socketio_emit_changes(${options.map((option) => `'${option.replaceAll("'", "''")}'`)})`;
}

export const onRows = (table, ...options) => `
  CREATE TRIGGER emit AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW ${emitChanges(...options)};`;

export const onStatements = (table, ...options) => `
  CREATE TRIGGER emit_insert AFTER INSERT ON ${table} REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT ${emitChanges(...options)};
  CREATE TRIGGER emit_update AFTER UPDATE ON ${table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT ${emitChanges(...options)};
  CREATE TRIGGER emit_delete AFTER DELETE ON ${table} REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT ${emitChanges(...options)};`;

export const onTruncate = (table, ...options) => `
  CREATE TRIGGER emit_truncate AFTER TRUNCATE ON ${table} FOR EACH STATEMENT ${emitChanges(...options)};`;

// For tests of what both levels have in common.
export const levels = [
  { level: 'row level', triggers: onRows },
  { level: 'statement level', triggers: onStatements },
];

// What these events with payload=change say of single rows, whichever level they come from: [operation, old row, new
// row] of each, in order.
export function rowChanges(events) {
  return events.flatMap(([, change]) => {
    return change.count === undefined ? [[change.op, change.old_record, change.record]] : unfold(change);
  });
}

function unfold({ op, count, records, old_records: oldRecords }) {
  for (const rows of [records, oldRecords]) {
    if (rows !== null) assert.equal(rows.length, count);
  }
  return Array.from({ length: count }, (_, i) => [op, oldRecords?.[i] ?? null, records?.[i] ?? null]);
}

// The same, by the event's name: for tables whose triggers fire in no order anybody should rely on.
export function rowChangesByEvent(events) {
  const byEvent = {};
  for (const event of events) (byEvent[event[0]] ??= []).push(...rowChanges([event]));
  return byEvent;
}
