import { createServer } from "node:http";
import { createAdapter } from "@socket.io/postgres-adapter";
import pg from "pg";
import { Server } from "socket.io";

// The adapter's own pool: one connection listens, the other fetches large events, one by one, so that they stay in order.
// It connects as psql does, by PGHOST, PGDATABASE, PGUSER and the rest.
const pool = new pg.Pool({ max: 2, keepAlive: true, keepAliveInitialDelayMillis: 10_000, verify: refuseStandby });
const report = (error) => console.error("database:", error.message);
pool.on("error", () => {}); // reported below
pool.on("connect", (client) => {
  client.on("error", report); // unheard, it would end the process; the adapter listens anew
  client.on("end", () => {
    try { client.release(true); } catch { /* done already */ } // the adapter does not, and its place would stay taken
  });
});

// A standby cannot LISTEN, and the adapter keeps what has failed. Refused, it tries again until there is a primary.
function refuseStandby(client, done) {
  client.query("SELECT pg_is_in_recovery() AS standby", (error, result) => {
    done(error ?? (result.rows[0].standby ? new Error("this is a standby, waiting for a primary") : undefined));
  });
}

const http = createServer((request, response) => response.end("up\n")); // for health checks
export const io = new Server(http, {
  adapter: createAdapter(pool, { errorHandler: (error) => console.error("adapter:", error.message) }),
  cors: { origin: "*" },
});
http.listen(Number(process.env.PORT ?? 3000), process.env.HOST);

process.once("SIGTERM", async () => {
  await io.close();
  await pool.end();
  process.exit();
});
