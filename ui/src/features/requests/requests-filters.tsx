/** The filters above the requests. The core applies them, so they cover all requests and not only the loaded rows. */
import type { Option } from "@/components/form/choice";
import { FilterChip } from "@/components/filter/filter-chip";
import { FilterChips, type Chip } from "@/components/filter/filter-chips";
import { QueryBox } from "@/features/requests/query-box";
import { useDimensionChips } from "@/connected/dimension-chips";
import { parseRequestFilter, type RequestFilter } from "@/lib/request-filter";
import { CACHE_OUTCOME, FAILURE_WORD, REQUEST, WASTE_WORD } from "@/lib/tables";
import { formatPart } from "@/lib/time";

/**
 * The filters that are shown as chips; the model and a part of time have places of their own. A period is `within`
 * typed, where that is none of the spans to choose.
 */
type ChipName = Exclude<keyof RequestFilter, "model" | "since" | "until"> | "period";

const options = (values: readonly string[]): Option<string>[] => values.map((value) => ({ value, label: value }));
const words = (table: Record<string, { word: string }>): Option<string>[] =>
  Object.entries(table).map(([value, { word }]) => ({ value, label: word }));

const STATES = words(REQUEST);
const CACHES = words(CACHE_OUTCOME);
const FAILURES = Object.entries(FAILURE_WORD).map(([value, label]) => ({ value, label }));
const WASTES = Object.entries(WASTE_WORD).map(([value, label]) => ({ value, label }));
const STATUSES = options(["2xx", "4xx", "400", "401", "403", "404", "429", "5xx", "500", "502", "503", "504", "529"]);
const SPANS = [
  { value: "15m", label: "15 minutes" },
  { value: "1h", label: "1 hour" },
  { value: "24h", label: "24 hours" },
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
];
const UNPRICED = [{ value: "true", label: "Not known" }];

function choice(name: ChipName, label: string, choices: readonly Option<string>[]): Chip<ChipName> {
  return { name, label, options: choices, example: "" };
}

function text(name: ChipName, label: string, example: string): Chip<ChipName> {
  return { name, label, options: null, example };
}

const BEFORE = [
  choice("within", "Last", SPANS),
  text("period", "Period", "last 3h, 2026-11-01..2026-11-07"),
  choice("state", "State", STATES),
  choice("http_status", "Status", STATUSES),
  choice("failure", "Failure", FAILURES),
  choice("waste", "Wasted", WASTES),
];
const AFTER = [
  text("min_cost", "Min cost in USD", "0.10"),
  text("max_cost", "Max cost in USD", "1"),
  choice("unpriced", "Cost", UNPRICED),
  text("slower_than", "Slower than", "5s"),
  text("faster_than", "Faster than", "800ms"),
  choice("cache", "Cache", CACHES),
];

interface RequestsFiltersProps {
  filter: RequestFilter;
  onChange: (filter: RequestFilter) => void;
}

export function RequestsFilters({ filter, onChange }: RequestsFiltersProps) {
  const dimensions = useDimensionChips();
  const set = (chip: ChipName, value: string | undefined) => {
    const name = chip === "period" ? "within" : chip;
    const { [name]: _old, ...rest } = filter;
    const next = name === "unpriced" ? value === "true" : value;
    onChange(value === undefined ? rest : { ...rest, ...parseRequestFilter({ [name]: next }) });
  };
  const { model: _model, since: _since, until: _until, unpriced, within, ...texts } = filter;
  const period =
    within === undefined ? {} : { [SPANS.some(({ value }) => value === within) ? "within" : "period"]: within };
  const values = { ...texts, ...period, ...(unpriced !== undefined && { unpriced: String(unpriced) }) };
  return (
    <>
      <QueryBox filter={filter} onChange={onChange} />
      <TimeChip filter={filter} onChange={onChange} />
      <FilterChips chips={[...BEFORE, ...dimensions, ...AFTER]} values={values} onChange={set} />
    </>
  );
}

/** A part of time, chosen on a chart: it can only be removed here. */
function TimeChip({ filter, onChange }: RequestsFiltersProps) {
  const { since, until, ...rest } = filter;
  if (since === undefined) return null;
  return <FilterChip label="Time" word={formatPart(since, until ?? null, "local")} onClear={() => onChange(rest)} />;
}
