// Measurements that stand beside each other: every round takes each of them once, so that whatever slows the machine
// down for a while slows all of them. The first round only warms up.

// `measurements` maps names to functions that measure one thing; the result maps the names to one number per round.
export async function alternate(rounds, measurements) {
  const numbers = Object.fromEntries(Object.keys(measurements).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, measure] of Object.entries(measurements)) {
      const number = await measure();
      if (round > 0) numbers[name].push(number);
    }
  }
  return numbers;
}

export function quantile(numbers, fraction) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = (sorted.length - 1) * fraction;
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

export function median(numbers) {
  return quantile(numbers, 0.5);
}

// What is left of each number, per call, without what `overhead` measured.
export function perCall(calls, numbers, overhead = [0]) {
  const subtracted = median(overhead);
  return numbers.map((number) => (number - subtracted) / calls);
}
