/**
 * Writes amounts of money. Amounts are whole micro-dollars from the core; this file only spells them and never adds,
 * so a rounding can never find its way back into a sum.
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

/** `$4.10`; below a cent with four decimals (`$0.0042`); below those `<$0.0001`, never a false zero. */
export function formatMoney(micro: number): string {
  const size = Math.abs(micro);
  if (size === 0 || size >= MICRO_PER_CENT) return dollars.format(micro / MICRO_PER_DOLLAR);
  if (size < MICRO_SPELLED_MIN) return micro < 0 ? "-<$0.0001" : "<$0.0001";
  return fineDollars.format(micro / MICRO_PER_DOLLAR);
}

/** Four decimals throughout, for a column in which single requests are compared. */
export function formatMoneyFine(micro: number): string {
  const size = Math.abs(micro);
  return size > 0 && size < MICRO_SPELLED_MIN ? "<$0.0001" : fineDollars.format(micro / MICRO_PER_DOLLAR);
}

/** An axis tick, with as many decimals as tell ticks that are `step` apart from each other. */
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

/** `$2.50` per million tokens, as price lists write it. */
export function formatPrice(micro: number | null): string {
  return micro === null ? "unknown" : formatMoney(micro);
}
