/** One price in full: every rate by tier and length of context, its days and its source. */
import { DialogBody, Drawer } from "@/components/overlay/dialog";
import { Facts, type Fact } from "@/components/text/facts";
import type { PriceRateView, ListedPriceView } from "@/ipc/bindings";
import { METERS, PRICE_TIERS } from "@/lib/form-tables";
import { formatPrice } from "@/lib/money";
import { formatCount } from "@/lib/quantity";

export function PriceDrawer({ row, onClose }: { row: ListedPriceView | undefined; onClose: () => void }) {
  if (row === undefined) return null;
  const facts: Fact[] = [
    { name: "Provider", value: row.owner },
    { name: "From", value: row.from },
    { name: "Until", value: row.until ?? "further notice" },
    { name: "Source", value: <span className="[overflow-wrap:anywhere]">{row.source}</span> },
    ...(row.regions.length === 0 ? [] : [{ name: "Regions", value: row.regions.join(", ") }]),
  ];
  return (
    <Drawer open onClose={onClose} title={row.model === "*" ? `All models of ${row.owner}` : row.model}>
      <DialogBody className="flex flex-col gap-5">
        <Facts facts={facts} />
        <table className="w-full">
          <caption className="pb-2 text-left font-semibold">Rates</caption>
          <tbody>
            {row.rates.map((rate) => (
              <tr key={nameOf(rate)}>
                <th scope="row" className="border-t border-line py-1.5 text-left font-normal text-ink-2">
                  {nameOf(rate)}
                </th>
                <td className="numeric border-t border-line py-1.5">{formatPrice(rate.rate)}</td>
                <td className="border-t border-line py-1.5 pl-2 text-12 text-ink-3">{rate.unit}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </DialogBody>
    </Drawer>
  );
}

function nameOf({ meter, tier, above_tokens }: PriceRateView): string {
  const parts = [METERS.find(({ value }) => value === meter)?.label ?? meter];
  if (tier !== null) parts.push((PRICE_TIERS.find(({ value }) => value === tier)?.label ?? tier).toLowerCase());
  if (above_tokens !== null) parts.push(`above ${formatCount(above_tokens)} tokens`);
  return parts.join(", ");
}
