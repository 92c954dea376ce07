/** What is said of a series of measurements. */

/**
 * @param {number[]} values in ms
 * @param {number} share 0 to 1
 */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/**
 * Median and 95th percentile in whole milliseconds.
 *
 * @param {number[]} values
 */
export function summary(values) {
  return {
    p50: Math.round(quantile(values, 0.5)),
    p95: Math.round(quantile(values, 0.95)),
  };
}

/** @param {string} what @param {number[]} values */
export function print(what, values) {
  const { p50, p95 } = summary(values);
  console.log(`${what.padEnd(50)} n ${values.length}  median ${p50} ms  p95 ${p95} ms`);
}
