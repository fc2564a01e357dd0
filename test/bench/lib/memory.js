// How much memory a process uses, as Linux accounts for it.

import { readFile } from 'node:fs/promises';

async function readStatus(pid, field) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)[1]) * 1024;
}

// Bytes in memory now, and the most there ever were.
export const residentMemory = (pid) => readStatus(pid, 'VmRSS');
export const peakMemory = (pid) => readStatus(pid, 'VmHWM');

// Bytes in memory now that no other process shares.
export const ownMemory = (pid) => readStatus(pid, 'RssAnon');
