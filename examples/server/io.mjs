import { createServer } from "node:http";
import { createAdapter } from "@socket.io/postgres-adapter";
import pg from "pg";
import { Server } from "socket.io";

// Connections are as psql's, by PGHOST, PGDATABASE, PGUSER and the rest.
const connection = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };
const report = (error) => console.error("database:", error.message);

// Fetches large events one by one, so that they stay in order.
const pool = new pg.Pool({ ...connection, max: 1 });
pool.on("error", report);

// What the adapter listens with. It does not give back what it has lost: the place in a pool would stay taken.
let listener;
async function connect() {
  if (listener) return new Promise(() => {}); // the adapter may ask twice for one that it has lost
  const client = new pg.Client(connection);
  listener = client;
  client.release = () => client.end();
  client.on("error", report); // unheard, it would end the process; the adapter connects anew
  client.on("end", () => { if (listener === client) listener = undefined; });
  try {
    await client.connect();
    await client.query('LISTEN "socket.io"'); // a standby refuses, and the adapter would not let go of it
  } catch (error) {
    report(error);
    listener = undefined;
    client.end().catch(() => {});
    throw error;
  }
  return client;
}

const http = createServer((request, response) => response.end("up\n")); // for health checks
export const io = new Server(http, {
  adapter: createAdapter({ connect, query: (text, values) => pool.query(text, values) }, {
    errorHandler: (error) => console.error("adapter:", error.message),
  }),
  cors: { origin: "*" },
});
http.listen(Number(process.env.PORT ?? 3000), process.env.HOST);

process.once("SIGTERM", async () => {
  await io.close();
  await pool.end();
  process.exit();
});
