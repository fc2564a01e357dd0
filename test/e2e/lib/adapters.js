// The published versions of @socket.io/postgres-adapter the extension has to reach, and how they differ.

import { delivery } from './delivery.js';

const published = ['0.1.1', '0.2.0', '0.3.1', '0.4.0', '0.5.0'];

// For what is the same whatever version the servers have.
export const newest = published.slice(-1);

// The worker's notifications are no others, so that the newest adapter stands for all.
export const versions = delivery === 'worker' ? newest : published;

// Up to 0.2.0 a server does not know of acknowledgements: it emits the event, and never answers.
export function acknowledges(version) {
  return version >= '0.3.0';
}

// The adapters' own 30 s would delete an attachment under a server that a busy machine, or valgrind, holds up so long.
export const CLEANUP_INTERVAL = 600_000;

// The adapters are CommonJS: their exports are the default export of an import().
export async function loadAdapter(version) {
  return (await import(`adapter-${version}`)).default;
}

// Connections an adapter keeps for LISTEN: up to 0.2.0 one per namespace, from 0.3.0 one per server.
export function listeningConnections(version, namespaces) {
  return /^0\.[12]\./.test(version) ? namespaces.length : 1;
}
