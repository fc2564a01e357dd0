// Event arguments of about 100 KB, the same in every run: a long text, and a list of records as a query would return it.

const size = 100_000;
const words = 'the quick brown fox jumps over a lazy dog while seven wizards box five very large jugs of liquid gold'.split(' ');

// A linear congruential generator: the numbers have to be unlike each other, not unpredictable.
function numbers(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function makeText() {
  const next = numbers(1);
  let text = '';
  while (text.length < size) text += `${words[next(words.length)]} `;
  return text.slice(0, size);
}

function makeRecord(id, next) {
  return {
    id,
    name: `${words[next(words.length)]} ${words[next(words.length)]}`,
    email: `user${next(1e6)}@example.com`,
    amount: next(1e6) / 100,
    active: next(2) === 1,
    created_at: new Date(1.7e12 + next(1e11)).toISOString(),
  };
}

function makeRecords() {
  const next = numbers(2);
  const records = [];
  for (let length = 0; length < size; length += JSON.stringify(records.at(-1)).length + 1) {
    records.push(makeRecord(records.length + 1, next));
  }
  return records;
}

export const text = makeText();
export const records = makeRecords();
