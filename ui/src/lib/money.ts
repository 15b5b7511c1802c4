/**
 * Formats amounts of money. The core sends whole micro-dollars; this file never adds them, so that no rounding gets
 * into a sum.
 */
const MICRO_PER_DOLLAR = 1_000_000;
const MICRO_PER_CENT = 10_000;
const MICRO_SPELLED_MIN = 100;

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const fineDollars = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
});

/** `$4.10`; below a cent with four decimals (`$0.0042`); below that `<$0.0001`, never a false zero. */
export function formatMoney(micro: number): string {
  const size = Math.abs(micro);
  if (size === 0 || size >= MICRO_PER_CENT) return dollars.format(micro / MICRO_PER_DOLLAR);
  if (size < MICRO_SPELLED_MIN) return micro < 0 ? "-<$0.0001" : "<$0.0001";
  return fineDollars.format(micro / MICRO_PER_DOLLAR);
}

/** Always four decimals, for a column that compares single requests. */
export function formatMoneyFine(micro: number): string {
  const size = Math.abs(micro);
  return size > 0 && size < MICRO_SPELLED_MIN ? "<$0.0001" : fineDollars.format(micro / MICRO_PER_DOLLAR);
}

/** An axis tick, with enough decimals to distinguish ticks that are `step` apart. */
export function formatMoneyTick(micro: number, step: number): string {
  if (micro === 0) return "$0";
  const decimals =
    step >= MICRO_PER_DOLLAR ? 0 : Math.min(Math.max(Math.ceil(-Math.log10(step / MICRO_PER_DOLLAR)), 2), 6);
  const spelled = {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  };
  return (micro / MICRO_PER_DOLLAR).toLocaleString("en-US", spelled as Intl.NumberFormatOptions);
}

/** `$2.50` per million tokens, as in price lists. */
export function formatPrice(micro: number | null): string {
  return micro === null ? "unknown" : formatMoney(micro);
}
