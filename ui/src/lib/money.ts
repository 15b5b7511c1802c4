/**
 * Formats amounts of money. The core sends whole nano-dollars; this file never adds them, so that no rounding gets
 * into a sum. It is the one place that converts them to the currency that the settings name: rounded once, half away
 * from zero, as the core does in its sentences. Price lists and the lines of an invoice stay US dollars.
 */
const NANO_PER_DOLLAR = 1_000_000_000;
const NANO_DIGITS = 9;

/** What the core says of the currency; see `CurrencyView`. */
interface Currency {
  code: string;
  /** Units for one US dollar, as decimal text. */
  rate: string;
  minor_digits: number;
  has_symbol: boolean;
}

const DOLLARS: Currency = { code: "USD", rate: "1", minor_digits: 2, has_symbol: true };

/** The currency of all amounts. Set by the query of the currency; the shell renders anew when it changes. */
let shown = formatsOf(DOLLARS);
const dollars = formatsOf(DOLLARS);

export function setShownCurrency(currency: Currency): void {
  shown = formatsOf(currency);
}

type Formats = ReturnType<typeof formatsOf>;

function formatsOf({ code, rate, minor_digits, has_symbol }: Currency) {
  const format = (least: number, most = least) =>
    new Intl.NumberFormat("en-US", {
      style: "currency",
      currency: code,
      currencyDisplay: has_symbol ? "narrowSymbol" : "code",
      minimumFractionDigits: least,
      maximumFractionDigits: most,
    });
  return {
    rate: Number(rate),
    digits: BigInt(rate.replace(".", "")),
    decimals: rate.split(".")[1]?.length ?? 0,
    format,
    coarse: format(minor_digits),
    fine: format(minor_digits + 2),
    minor: Number(`1e-${minor_digits}`),
    finest: Number(`1e-${minor_digits + 2}`),
    minorDigits: minor_digits,
  };
}

/** Near enough to choose the decimals. */
const near = (nano: number, { rate }: Formats) => (nano / NANO_PER_DOLLAR) * rate;

/** Exact, since a float would round half a cent to either side: the product as a decimal number in text. */
function exact(nano: number, { digits, decimals }: Formats): `${number}` {
  return `${BigInt(Math.round(nano)) * digits}e-${NANO_DIGITS + decimals}` as `${number}`;
}

/** `$4.10`; below a cent with four decimals (`$0.0042`); below that `<$0.0001`, never a false zero. */
export function formatMoney(nano: number): string {
  return format(nano, shown);
}

function format(nano: number, formats: Formats): string {
  const size = Math.abs(near(nano, formats));
  if (size === 0 || size >= formats.minor) return formats.coarse.format(exact(nano, formats));
  if (size < formats.finest) return `${nano < 0 ? "-" : ""}<${formats.fine.format(formats.finest)}`;
  return formats.fine.format(exact(nano, formats));
}

/** Always two decimals more, for a column that compares single requests: `$0.0042`. */
export function formatMoneyFine(nano: number): string {
  const size = Math.abs(near(nano, shown));
  return size > 0 && size < shown.finest
    ? `<${shown.fine.format(shown.finest)}`
    : shown.fine.format(exact(nano, shown));
}

/** US dollars, with at least two decimals and as many as the amount has, up to nine: `$2.50`, `$0.00000016`. */
export function formatMoneyExact(nano: number): string {
  return exactDollars.format(nano / NANO_PER_DOLLAR);
}

const exactDollars = dollars.format(2, NANO_DIGITS);

/** An axis tick, with enough decimals to distinguish ticks that are `step` apart. */
export function formatMoneyTick(nano: number, step: number): string {
  if (nano === 0) return shown.format(0).format(0);
  const apart = near(step, shown);
  const decimals = apart >= 1 ? 0 : Math.min(Math.max(Math.ceil(-Math.log10(apart)), shown.minorDigits), 6);
  return shown.format(decimals).format(near(nano, shown));
}

/** `$2.50` per million tokens, as in price lists. */
export function formatPrice(nano: number | null): string {
  return nano === null ? "unknown" : format(nano, dollars);
}
