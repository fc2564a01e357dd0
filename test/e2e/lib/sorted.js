// Lists whose order is nobody's promise, in an order of their own.

// For events, as a notification may overtake an attachment, and for rows.
export function sorted(list) {
  const key = (entry) => JSON.stringify(entry, byName);
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

// For JSON.stringify: whatever order an object has its keys in makes no difference.
function byName(key, value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
