// One line of the table: what we measured beside what it is measured against.

import { median, quantile } from './rounds.js';

// Goals, for the ratio of the row, or in the row's unit for ours or for what ours has more than the reference.
export const atMost = (limit) => ({ limit, sign: '≤', of: 'ratio' });
export const atLeast = (limit) => ({ limit, sign: '≥', of: 'ratio' });
export const costsAtMost = (limit) => ({ limit, sign: '≤', of: 'ours' });
export const yieldsAtLeast = (limit) => ({ limit, sign: '≥', of: 'ours' });
export const addsAtMost = (limit) => ({ limit, sign: '≤', of: 'difference' });

const divide = (dividends, divisors) => dividends.map((dividend, i) => dividend / divisors[i]);

// `ours` and `reference` hold one number per round, in `unit` (see format.js). The ratio, of ours to the reference or with
// `inverse` of the reference to ours, is the median of the rounds' ratios, and its range lies between their quartiles.
// Without a `goal` the row is there for comparison.
export function row({ measure, ours, reference, unit, goal, inverse = false }) {
  const ratios = inverse ? divide(reference, ours) : divide(ours, reference);
  return {
    measure,
    unit,
    ours: median(ours),
    reference: median(reference),
    ratio: median(ratios),
    range: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    goal,
  };
}
