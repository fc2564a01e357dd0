// The program of a server of lib/cluster.js: it tells its parent where it serves, and goes when its parent does.

import { startServer } from './socketio-server.js';

process.on('disconnect', () => process.exit());
const { url } = await startServer();
process.send({ url });
