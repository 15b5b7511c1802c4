/** The filters above the requests. The core applies them, so they cover all requests and not only the loaded rows. */
import { useState } from "react";
import { AddFilter, type AddableFilter } from "@/components/add-filter";
import type { Option } from "@/components/choice";
import { FilterChip } from "@/components/filter-chip";
import { FilterInput } from "@/components/filter-input";
import { FilterMenu } from "@/components/filter-menu";
import { FilterText } from "@/components/filter-text";
import { useBackends, useClients, useKeys } from "@/ipc/queries";
import { useRoutes } from "@/ipc/route-queries";
import { parseRequestFilter, type RequestFilter } from "@/lib/request-filter";
import { CACHE_OUTCOME, FAILURE_WORD, REQUEST } from "@/lib/tables";
import { formatPart } from "@/lib/time";

/** The filters that are shown as chips; the model and a part of time have places of their own. */
type ChipName = Exclude<keyof RequestFilter, "model" | "since" | "until">;

interface Chip extends AddableFilter<ChipName> {
  example: string;
}

const options = (values: readonly string[]): Option<string>[] => values.map((value) => ({ value, label: value }));
const words = (table: Record<string, { word: string }>): Option<string>[] =>
  Object.entries(table).map(([value, { word }]) => ({ value, label: word }));

const STATES = words(REQUEST);
const CACHES = words(CACHE_OUTCOME);
const FAILURES = Object.entries(FAILURE_WORD).map(([value, label]) => ({ value, label }));
const STATUSES = options(["2xx", "4xx", "400", "401", "403", "404", "429", "5xx", "500", "502", "503", "504", "529"]);
const SPANS = [
  { value: "15m", label: "15 minutes" },
  { value: "1h", label: "1 hour" },
  { value: "24h", label: "24 hours" },
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
];
const UNPRICED = [{ value: "true", label: "Not known" }];

function choice(name: ChipName, label: string, choices: readonly Option<string>[]): Chip {
  return { name, label, options: choices, example: "" };
}

function text(name: ChipName, label: string, example: string): Chip {
  return { name, label, options: null, example };
}

function useChips(): Chip[] {
  const backends = useBackends().data ?? [];
  const keys = useKeys().data ?? [];
  const clients = useClients().data ?? [];
  const routes = useRoutes().data?.routes ?? [];
  return [
    choice("within", "Last", SPANS),
    choice("state", "State", STATES),
    choice("http_status", "Status", STATUSES),
    choice("failure", "Failure", FAILURES),
    choice(
      "backend",
      "Backend",
      backends.map(({ id, label }) => ({ value: id, label })),
    ),
    choice(
      "key",
      "Key",
      keys.map(({ id, label }) => ({ value: id, label })),
    ),
    choice("client", "Client", options(clients.map(({ id }) => id))),
    choice("route", "Route", options(routes.map(({ id }) => id))),
    text("project", "Project", "website"),
    text("min_cost", "Min cost", "$0.10"),
    text("max_cost", "Max cost", "$1"),
    choice("unpriced", "Cost", UNPRICED),
    text("slower_than", "Slower than", "5s"),
    text("faster_than", "Faster than", "800ms"),
    choice("cache", "Cache", CACHES),
  ];
}

interface RequestsFiltersProps {
  filter: RequestFilter;
  onChange: (filter: RequestFilter) => void;
}

export function RequestsFilters({ filter, onChange }: RequestsFiltersProps) {
  const chips = useChips();
  // The filter whose field is open for its first text.
  const [typing, setTyping] = useState<ChipName | null>(null);
  const set = (name: keyof RequestFilter, value: string | undefined) => {
    setTyping(null);
    const { [name]: _old, ...rest } = filter;
    const next = name === "unpriced" ? value === "true" : value;
    onChange(value === undefined ? rest : { ...rest, ...parseRequestFilter({ [name]: next }) });
  };
  const isShown = ({ name }: Chip) => filter[name] !== undefined || typing === name;
  return (
    <>
      <FilterInput
        label="Filter requests by model"
        placeholder="Model"
        value={filter.model?.replaceAll(/^\*|\*$/g, "") ?? ""}
        onChange={(value) => set("model", value === "" ? undefined : `*${value}*`)}
      />
      <TimeChip filter={filter} onChange={onChange} />
      {chips.filter(isShown).map(({ name, label, options: choices, example }) => {
        const value = filter[name] === undefined ? undefined : String(filter[name]);
        return choices === null ? (
          <FilterText
            key={name}
            label={label}
            value={value}
            example={example}
            isNew={typing === name}
            onChange={(next) => set(name, next)}
            onLeave={() => setTyping(null)}
          />
        ) : (
          <FilterMenu key={name} label={label} value={value} options={choices} onChange={(next) => set(name, next)} />
        );
      })}
      <AddFilter
        filters={chips.filter((chip) => !isShown(chip))}
        onAdd={(name, value) => (value === undefined ? setTyping(name) : set(name, value))}
      />
    </>
  );
}

/** A part of time, chosen on a chart: it can only be removed here. */
function TimeChip({ filter, onChange }: RequestsFiltersProps) {
  const { since, until, ...rest } = filter;
  if (since === undefined) return null;
  return <FilterChip label="Time" word={formatPart(since, until ?? null, "local")} onClear={() => onChange(rest)} />;
}
