/** The requests that count on a part of Usage, as chips. Everything on it follows them. */
import { spanOf } from "@/features/usage/usage-period";
import { DIMENSIONS, filterOf, type Dimension, type UsagePlace } from "@/features/usage/usage-place";
import { FilterChips, type Chip } from "@/components/filter/filter-chips";
import type { UsageCrossView } from "@/ipc/bindings";
import { useDimensionChips } from "@/connected/dimension-chips";
import { useUsageCross } from "@/ipc/queries";

interface UsageFiltersProps {
  place: UsagePlace;
  onMove: (place: UsagePlace) => void;
}

export function UsageFilters({ place, onMove }: UsageFiltersProps) {
  const period = spanOf(place);
  const models = useUsageCross({ period, rows: "model", columns: "project" }).data;
  const projects = useUsageCross({ period, rows: "project", columns: "model" }).data;
  const known: Chip<Dimension>[] = [
    ...useDimensionChips(),
    { name: "model", label: "Model", options: null, example: "gpt-5.2" },
  ];
  const used = { model: models, project: projects };
  const chips = DIMENSIONS.flatMap((name) => known.filter((chip) => chip.name === name)).map((chip) =>
    chip.name === "model" || chip.name === "project" ? withNames(chip, used[chip.name]) : chip,
  );
  const set = (name: Dimension, value: string | undefined) => {
    const { [name]: _old, ...rest } = place;
    onMove(value === undefined ? rest : { ...rest, [name]: value });
  };
  return <FilterChips chips={chips} values={filterOf(place)} onChange={set} />;
}

/** The names of the period to choose from; where there are more than are listed, they are typed. */
function withNames(chip: Chip<Dimension>, used: UsageCrossView | undefined): Chip<Dimension> {
  const rows = used?.rows ?? [];
  const names = rows.filter(({ kind }) => kind === "named").map(({ key }) => ({ value: key, label: key }));
  return names.length === 0 || rows.some(({ kind }) => kind === "rest") ? chip : { ...chip, options: names };
}
