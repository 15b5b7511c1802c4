/** The filters above the requests. The core applies them, so they cover all requests and not only the loaded rows. */
import type { Option } from "@/components/choice";
import { FilterChip } from "@/components/filter-chip";
import { FilterInput } from "@/components/filter-input";
import { FilterMenu } from "@/components/filter-menu";
import { OUTCOMES, type RequestFilter } from "@/features/usage/usage-place";
import type { TimeZoneChoice } from "@/ipc/bindings";
import { useBackends, useClients } from "@/ipc/queries";
import { useRoutes } from "@/ipc/route-queries";
import { REQUEST } from "@/lib/tables";
import { formatPart } from "@/lib/time";

const OUTCOME_OPTIONS = OUTCOMES.map((state) => ({ value: state, label: REQUEST[state].word }));
const STATUS_OPTIONS = ["4xx", "400", "401", "403", "404", "429", "5xx", "500", "502", "503", "504"].map((status) => ({
  value: status,
  label: status,
}));

interface RequestsFilterProps {
  filter: RequestFilter;
  /** The time zone for the days and hours of a selected bar. */
  zone: TimeZoneChoice;
  onChange: (filter: RequestFilter) => void;
}

export function RequestsFilter({ filter, zone, onChange }: RequestsFilterProps) {
  const backends = useBackends().data ?? [];
  const clients = useClients().data ?? [];
  const routes = useRoutes().data?.routes ?? [];
  const set = <Name extends keyof RequestFilter>(name: Name, value: RequestFilter[Name] | undefined) => {
    const { [name]: _old, ...rest } = filter;
    onChange(value === undefined ? rest : { ...rest, [name]: value });
  };
  return (
    <>
      {filter.since !== undefined && (
        <FilterChip
          label="Time"
          word={formatPart(filter.since, filter.until ?? null, zone)}
          onClear={() => {
            const { since: _since, until: _until, ...rest } = filter;
            onChange(rest);
          }}
        />
      )}
      <FilterMenu
        label="Outcome"
        value={filter.outcome}
        options={OUTCOME_OPTIONS}
        onChange={(value) =>
          set(
            "outcome",
            OUTCOMES.find((state) => state === value),
          )
        }
      />
      <FilterMenu
        label="Status"
        value={filter.status}
        options={STATUS_OPTIONS}
        onChange={(value) => set("status", value)}
      />
      <FilterMenu
        label="Backend"
        value={filter.backend}
        options={backends.map(({ id, label }): Option<string> => ({ value: id, label }))}
        onChange={(value) => set("backend", value)}
      />
      <FilterMenu
        label="Client"
        value={filter.client}
        options={clients.map(({ id }): Option<string> => ({ value: id, label: id }))}
        onChange={(value) => set("client", value)}
      />
      {routes.length > 0 && (
        <FilterMenu
          label="Route"
          value={filter.route}
          options={routes.map(({ id }): Option<string> => ({ value: id, label: id }))}
          onChange={(value) => set("route", value)}
        />
      )}
      <FilterInput
        label="Filter requests by model"
        placeholder="Model"
        value={filter.model ?? ""}
        onChange={(value) => set("model", value === "" ? undefined : value)}
      />
    </>
  );
}
