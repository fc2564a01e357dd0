// A database with the extension in it, and one session to run SQL in.
//
// The server is found through the PG* environment variables, which scripts/with-cluster sets. Databases are not
// dropped: the whole cluster goes away at the end.

import pg from 'pg';

let count = 0;

export class Database {
  #session;

  constructor(name, session) {
    this.name = name;
    this.#session = session;
  }

  // All in one session. Text without parameters may hold several statements (one transaction, unless it says BEGIN).
  query(text, parameters) {
    return this.#session.query(text, parameters);
  }

  // How many attachments have ever been made. Not the number of rows, which adapters delete.
  async attachmentsMade(table = 'socket_io_attachments') {
    const { rows: [{ sequence }] } = await this.query(`SELECT pg_get_serial_sequence($1, 'id') AS sequence`, [table]);
    const { rows: [{ made }] } = await this.query(
      `SELECT (CASE WHEN is_called THEN last_value ELSE 0 END)::int AS made FROM ${sequence}`);
    return made;
  }

  // What is running or was left behind is undone, and the settings are back to their defaults.
  async reset() {
    await this.query('ROLLBACK');
    await this.query('DISCARD ALL');
  }

  async newSession() {
    const session = new pg.Client({ database: this.name });
    await session.connect();
    return session;
  }

  newPool(options) {
    return new pg.Pool({ database: this.name, ...options });
  }

  async close() {
    await this.#session.end();
  }
}

// `setup` is SQL that runs before CREATE EXTENSION, for example to make the attachment table as an application does;
// `settings` become the database's own, for every session.
export async function createDatabase({ encoding = 'UTF8', setup = '', settings = {} } = {}) {
  const name = `e2e_${process.pid}_${++count}`;
  await createEmptyDatabase(name, encoding, settings);
  const session = new pg.Client({ database: name });
  await session.connect();
  if (setup) await session.query(setup);
  await session.query('CREATE EXTENSION socketio_emitter');
  return new Database(name, session);
}

async function createEmptyDatabase(name, encoding, settings) {
  const maintenance = new pg.Client();
  await maintenance.connect();
  try {
    await maintenance.query(
      `CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`);
    for (const [setting, value] of Object.entries(settings)) {
      await maintenance.query(`ALTER DATABASE ${name} SET ${setting} = ${maintenance.escapeLiteral(value)}`);
    }
  } finally {
    await maintenance.end();
  }
}
