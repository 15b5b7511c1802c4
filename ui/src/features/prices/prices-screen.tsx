/** Every known price with its source and date, one's own among them. */
import { Undo2 } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { ImportPrices } from "@/features/prices/import-prices";
import { PriceDrawer } from "@/features/prices/price-drawer";
import { Button } from "@/components/button/button";
import { DataTable, type Column } from "@/components/table/data-table";
import { FilterInput } from "@/components/filter/filter-input";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { SetPriceDialog } from "@/connected/set-price";
import { Skeleton } from "@/components/notice/skeleton";
import { UsageTabs } from "@/components/layout/usage-tabs";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { PriceRowState, ListedPriceView, PricesView } from "@/ipc/bindings";
import { usePrices } from "@/ipc/queries";
import { formatPrice } from "@/lib/money";
import { formatCount } from "@/lib/quantity";

/** Rows in one answer. More are found by searching. */
const ROWS_MAX = 500;

const STATES: Record<PriceRowState, string> = { in_force: "", upcoming: "upcoming", ended: "ended" };

const COLUMNS: Column<ListedPriceView>[] = [
  {
    id: "model",
    header: "Model",
    value: (row) => row.model,
    cell: (row) => (
      <span className={row.state === "in_force" ? "font-medium text-ink-1" : "text-ink-3"}>
        {row.model === "*" ? "all models" : row.model}
        {STATES[row.state] !== "" && <span className="ml-2 text-12 font-normal">{STATES[row.state]}</span>}
      </span>
    ),
  },
  { id: "owner", header: "Provider", width: "112px", value: (row) => row.owner, cell: (row) => row.owner },
  price("input", "Input", (row) => row.input),
  { ...price("cached", "Cached", (row) => row.cache_read), from: "640" },
  price("output", "Output", (row) => row.output),
  {
    id: "from",
    header: "From",
    width: "104px",
    from: "640",
    value: (row) => row.from,
    cell: (row) => row.from,
  },
  {
    id: "until",
    header: "Until",
    width: "104px",
    from: "1000",
    value: (row) => row.until,
    cell: (row) => row.until ?? "–",
  },
  {
    id: "source",
    header: "Source",
    width: "176px",
    from: "1000",
    value: (row) => row.source,
    cell: (row) => (
      <span className="text-ink-2" title={row.source}>
        {row.source.replace(/^https:\/\//, "")}
      </span>
    ),
  },
];

function price(id: string, header: string, amount: (row: ListedPriceView) => number | null): Column<ListedPriceView> {
  return {
    id,
    header,
    numeric: true,
    width: "92px",
    value: amount,
    cell: (row) => (amount(row) === null ? "–" : formatPrice(amount(row))),
  };
}

export function PricesScreen() {
  const [words, setWords] = useState("");
  const [openId, setOpenId] = useState<string | null>(null);
  const [isSetting, setSetting] = useState(false);
  const model = useDeferredValue(words.trim());
  const prices = usePrices({ model, owner: "", limit: ROWS_MAX });
  return (
    <Page
      title="Usage"
      lead={prices.data?.sentence}
      actions={
        <>
          <UndoButton prices={prices.data} />
          <ImportPrices />
          <Button look="primary" onClick={() => setSetting(true)}>
            Set price
          </Button>
        </>
      }
    >
      <UsageTabs current="prices" />
      <div className="flex flex-wrap items-center gap-2">
        <FilterInput label="Filter by model" value={words} onChange={setWords} />
        <span className="ml-auto text-12 text-ink-3">US dollars per million tokens</span>
      </div>
      <Reading
        of={prices}
        skeleton={
          <div role="status" aria-label="Loading prices">
            <Skeleton className="h-[420px] rounded-card" />
          </div>
        }
      >
        {(data) => (
          <DataTable
            label="Prices in US dollars per million tokens"
            columns={COLUMNS}
            rows={data.rows}
            rowId={(row) => row.id}
            onOpen={(row) => setOpenId(row.id)}
            empty={<p className="p-4 text-ink-2">No price matches.</p>}
            after={
              data.found > data.rows.length ? (
                <p className="p-3 text-12 text-ink-3">
                  {formatCount(data.found - data.rows.length)} more. Filter to find them.
                </p>
              ) : undefined
            }
          />
        )}
      </Reading>
      <PriceDrawer row={prices.data?.rows.find((row) => row.id === openId)} onClose={() => setOpenId(null)} />
      {isSetting && <SetPriceDialog backend={null} model="" onClose={() => setSetting(false)} />}
    </Page>
  );
}

function UndoButton({ prices }: { prices: PricesView | undefined }) {
  const undo = useAction("priceUndo", (call) => call());
  if (prices === undefined || prices.last_change === null) return null;
  return (
    <Button
      icon={Undo2}
      busy={undo.isPending}
      title={prices.last_change.sentence}
      onClick={() =>
        undo.mutate(undefined, {
          onSuccess: ({ sentence }) => notify({ title: sentence }),
          onError: (error) => notify({ tone: "bad", title: error.message }),
        })
      }
    >
      Undo last change
    </Button>
  );
}
