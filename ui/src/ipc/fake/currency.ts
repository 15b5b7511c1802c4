/** The fake core's currency: dollars, and two of the bundled rates. */
import type { CurrencyView, SettingsValues } from "@/ipc/bindings";

const RATES: Record<string, string> = { EUR: "0.85026783", JPY: "156.76388" };

export function currencyOf(values: SettingsValues): CurrencyView {
  const code = String(values.currency_show ?? "USD").toUpperCase();
  const own = values.currency_rate === null ? null : String(values.currency_rate);
  const rate = own ?? RATES[code] ?? "1";
  const day = own === null ? "2026-05-08" : values.currency_rate_date;
  const source = own === null ? "European Central Bank, euro reference rates" : "own rate";
  const isDollar = code === "USD" || rate === "1";
  return {
    code: isDollar ? "USD" : code,
    rate: isDollar ? "1" : rate,
    minor_digits: code === "JPY" ? 0 : 2,
    has_symbol: ["USD", "EUR", "JPY"].includes(code),
    source: isDollar ? null : source,
    source_url: isDollar || own !== null ? null : "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
    as_of: isDollar || day === null ? null : String(day),
    is_own: !isDollar && own !== null,
    finding: isDollar ? null : `1 USD = ${rate} ${code} (${source}${day === null ? "" : `, ${String(day)}`})`,
  };
}
