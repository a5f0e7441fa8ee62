// @ts-check
/** How numbers and times are written for people. */

const largeNumbers = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const smallNumbers = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });
const times = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** @param {number} value */
export function formatNumber(value) {
  const size = Math.abs(value);
  if (size >= 100) return largeNumbers.format(value);
  return size > 0 && size < 0.1 ? smallNumbers.format(value) : numbers.format(value);
}

/** @param {number} ms */
export function formatAgo(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 1) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}

/** @param {string} iso */
export function formatTime(iso) {
  return times.format(new Date(iso));
}

/**
 * One value of a message, as one short text.
 * @param {unknown} value
 * @returns {string}
 */
export function formatValue(value) {
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'string') return value === '' ? '""' : value;
  if (Array.isArray(value) && value.length > 8)
    return `${value.slice(0, 8).join(', ')} and ${value.length - 8} more`;
  return JSON.stringify(value) ?? '';
}
