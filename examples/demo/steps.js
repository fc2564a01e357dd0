// The one-liners of the demo, and what each client must receive of them: a list of [event, ...arguments], or nothing.
// A function in place of an argument says whether it is the right one.

const isNow = (value) => Math.abs(Date.parse(value) - Date.now()) < 60_000;

export const steps = [
  {
    title: 'To everyone',
    sql: `SELECT socketio_emit(event => 'hello', args => '["world"]')`,
    expected: { alice: [['hello', 'world']], bob: [['hello', 'world']] },
  },
  {
    title: 'To a room',
    sql: `SELECT socketio_emit(rooms => '{room1}', event => 'hello', args => '{"room": "room1"}')`,
    expected: { alice: [['hello', { room: 'room1' }]], bob: [] },
  },
  {
    title: 'Rolled back',
    sql: `BEGIN; SELECT socketio_emit(event => 'never'); ROLLBACK`,
    expected: { alice: [], bob: [] },
  },
  {
    title: '100 KB, more than NOTIFY can carry',
    sql: `SELECT socketio_emit(event => 'big', args => to_jsonb(repeat('x', 100000)))`,
    expected: { alice: [['big', 'x'.repeat(100_000)]], bob: [['big', 'x'.repeat(100_000)]] },
  },
  {
    title: 'Binary',
    sql: `SELECT socketio_emit_values(socketio_to('room1'), 'file', '\\xcafe00ff'::bytea)`,
    expected: { alice: [['file', Buffer.from('cafe00ff', 'hex')]], bob: [] },
  },
  {
    title: 'SQL values as they are',
    sql: `SELECT socketio_emit_values(socketio_to('room1'), 'mix', 1, 'two', now(), ARRAY[1.5, 2], '\\xff'::bytea)`,
    expected: { alice: [['mix', 1, 'two', isNow, [1.5, 2], Buffer.from([0xff])]], bob: [] },
  },
  {
    title: 'Follow a table: the rows say which room',
    sql: `CREATE TABLE notes (id int PRIMARY KEY, room text, body text); `
      + `SELECT socketio_watch('notes', 'rooms={room}', 'payload=record'); `
      + `INSERT INTO notes VALUES (1, 'room1', 'for alice'), (2, 'room2', 'for somebody else')`,
    expected: { alice: [['notes:insert', { id: 1, room: 'room1', body: 'for alice' }]], bob: [] },
  },
  {
    title: 'The table goes on being followed',
    sql: `UPDATE notes SET body = 'news' WHERE id = 1; DELETE FROM notes`,
    expected: {
      alice: [
        ['notes:update', { id: 1, room: 'room1', body: 'news' }],
        ['notes:delete', { id: 1, room: 'room1', body: 'news' }],
      ],
      bob: [],
    },
  },
];
