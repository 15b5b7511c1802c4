/** What an attempt costs, line by line, with the price row that was used. */
import type { InvoiceView, LineItemView } from "@/ipc/bindings";
import { formatMoneyExact } from "@/lib/money";
import { formatCount } from "@/lib/quantity";

export function Invoice({ invoice, label }: { invoice: InvoiceView; label: string }) {
  const { lines, computed_nano_usd, stated_nano_usd, price, unpriced } = invoice;
  if (lines.length === 0 && unpriced === null) return null;
  return (
    <div className="flex flex-col gap-1 pt-2 text-12">
      {lines.length > 0 && (
        <table aria-label={label} className="w-full">
          <thead>
            <tr className="text-ink-3">
              <th className="text-left font-normal">Counted</th>
              <th className="text-right font-normal">Quantity</th>
              <th className="text-right font-normal">Rate</th>
              <th className="text-right font-normal">Amount</th>
            </tr>
          </thead>
          <tbody className="text-ink-1 tabular-nums">
            {lines.map((line, index) => (
              // An answer of several calls of the model counts a meter once for each.
              <tr key={index}>
                <td className="text-ink-2">{line.meter}</td>
                <td className="text-right">{formatCount(line.quantity)}</td>
                <td className="text-right text-ink-2">{rateOf(line)}</td>
                <td className="text-right">{amountOf(line.amount_nano_usd)}</td>
              </tr>
            ))}
          </tbody>
          {lines.length > 1 && (
            <tfoot className="text-ink-1 tabular-nums">
              <tr className="border-t border-line">
                <th scope="row" colSpan={3} className="text-left font-medium">
                  Computed
                </th>
                <td className="text-right font-medium">{amountOf(computed_nano_usd)}</td>
              </tr>
            </tfoot>
          )}
        </table>
      )}
      {stated_nano_usd !== null && (
        <p className="text-ink-2">The backend states {formatMoneyExact(stated_nano_usd)}, which counts.</p>
      )}
      {unpriced !== null && <p className="text-warn">Unpriced. {unpriced.sentence}</p>}
      {price !== null && (
        <p className="[overflow-wrap:anywhere] text-ink-3">
          Price of {price.valid_from} from {price.source}
        </p>
      )}
    </div>
  );
}

function amountOf(amount: number | null): string {
  return amount === null ? "unknown" : formatMoneyExact(amount);
}

/** `$2.50 / 1M tokens`, `$10.00 / 1,000 calls`, `$0.04`. */
function rateOf({ rate_nano_usd, quoted_for, unit }: LineItemView): string {
  if (rate_nano_usd === null) return "unknown";
  const rate = formatMoneyExact(rate_nano_usd);
  if (quoted_for === 1) return rate;
  return `${rate} / ${quoted_for === 1_000_000 ? "1M" : formatCount(quoted_for)} ${unit}`;
}
