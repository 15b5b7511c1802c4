/** Formats counts, tokens, bytes and durations with their units. */
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** `12,480`. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** `12.5K`, for axes and narrow columns; put the full number in a title. */
export function formatCountShort(count: number): string {
  return short.format(count);
}

/** `1 request`, `2 requests`. */
export function formatCounted(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `<1 ms`, `340 ms`, `2.4 s`, `3 min 20 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return "<1 ms";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.floor((ms % 60_000) / 1_000);
  return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`;
}

/** A measured size, as the core's sentences have it: `512 bytes`, `4.3 MB`, `84 MB`, `1.2 GB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1_000, ["bytes", "kB", "MB", "GB"]);
}

/** A limit that is set in powers of two, and what is used of it: `4.2 MiB`, `64 MiB`. */
export function formatBinaryBytes(bytes: number): string {
  return scaled(bytes, 1_024, ["bytes", "KiB", "MiB", "GiB"]);
}

function scaled(bytes: number, step: number, units: readonly string[]): string {
  let size = bytes;
  let unit = 0;
  while (size >= step && unit < units.length - 1) {
    size /= step;
    unit += 1;
  }
  const hasTenth = size < 10 || unit === units.length - 1;
  return `${unit > 0 && hasTenth ? Math.round(size * 10) / 10 : Math.round(size)} ${units[unit]}`;
}

/** `9.3` from 93 tenths. */
export function formatTenths(tenths: number): string {
  return (tenths / 10).toFixed(1);
}

/** `+0.4`, `-1.2`, `±0`. */
export function formatTenthsChange(tenths: number): string {
  if (tenths === 0) return "±0";
  return `${tenths > 0 ? "+" : "−"}${formatTenths(Math.abs(tenths))}`;
}
