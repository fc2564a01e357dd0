// Numbers for people to read.

const digits = (number, count) => number.toLocaleString('en-US', { minimumFractionDigits: count, maximumFractionDigits: count });

const units = {
  seconds: (number) => (number < 1e-4 ? `${digits(number * 1e6, 2)} µs` : `${digits(number * 1e3, 2)} ms`),
  bytes: (number) => `${digits(number / 2 ** 20, 1)} MB`,
  perSecond: (number) => `${digits(number, 0)} /s`,
};

export function formatNumber(number, unit) {
  return units[unit](number);
}

export function formatRatio(ratio) {
  return digits(ratio, Math.abs(ratio) < 10 ? 2 : 1);
}
