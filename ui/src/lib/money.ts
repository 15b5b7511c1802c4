/**
 * Formats amounts of money. The core sends whole nano-dollars; this file never adds them, so that no rounding gets
 * into a sum.
 */
const NANO_PER_DOLLAR = 1_000_000_000;
const NANO_PER_CENT = 10_000_000;
const NANO_SPELLED_MIN = 100_000;

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const fineDollars = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
});

const exactDollars = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 2,
  maximumFractionDigits: 9,
});

/** `$4.10`; below a cent with four decimals (`$0.0042`); below that `<$0.0001`, never a false zero. */
export function formatMoney(nano: number): string {
  const size = Math.abs(nano);
  if (size === 0 || size >= NANO_PER_CENT) return dollars.format(nano / NANO_PER_DOLLAR);
  if (size < NANO_SPELLED_MIN) return nano < 0 ? "-<$0.0001" : "<$0.0001";
  return fineDollars.format(nano / NANO_PER_DOLLAR);
}

/** Always four decimals, for a column that compares single requests. */
export function formatMoneyFine(nano: number): string {
  const size = Math.abs(nano);
  return size > 0 && size < NANO_SPELLED_MIN ? "<$0.0001" : fineDollars.format(nano / NANO_PER_DOLLAR);
}

/** At least two decimals and as many as the amount has, up to nine: `$2.50`, `$0.00000016`. */
export function formatMoneyExact(nano: number): string {
  return exactDollars.format(nano / NANO_PER_DOLLAR);
}

/** An axis tick, with enough decimals to distinguish ticks that are `step` apart. */
export function formatMoneyTick(nano: number, step: number): string {
  if (nano === 0) return "$0";
  const decimals =
    step >= NANO_PER_DOLLAR ? 0 : Math.min(Math.max(Math.ceil(-Math.log10(step / NANO_PER_DOLLAR)), 2), 6);
  const spelled = {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  };
  return (nano / NANO_PER_DOLLAR).toLocaleString("en-US", spelled as Intl.NumberFormatOptions);
}

/** `$2.50` per million tokens, as in price lists. */
export function formatPrice(nano: number | null): string {
  return nano === null ? "unknown" : formatMoney(nano);
}
