/** The places at which the settings here and those of a file differ. */
import { DataTable, type Column } from "@/components/table/data-table";
import type { SettingsDifferenceView } from "@/ipc/bindings";

function sides({ kind, fields }: SettingsDifferenceView): [here: string, there: string] {
  const [first] = fields;
  if (first !== undefined && first.name === "") return [first.here ?? "not set", first.there ?? "not set"];
  if (kind === "only_here") return ["there", "missing"];
  if (kind === "only_there") return ["missing", "new"];
  return ["there", `other ${fields.map(({ name }) => name).join(", ")}`];
}

const COLUMNS: Column<SettingsDifferenceView>[] = [
  { id: "path", header: "Setting", cell: (row) => <span className="font-mono text-12">{row.path}</span> },
  { id: "here", header: "Here", cell: (row) => sides(row)[0] },
  { id: "there", header: "In the file", cell: (row) => sides(row)[1] },
];

export function SettingsDifferences({ differences }: { differences: SettingsDifferenceView[] }) {
  if (differences.length === 0) return <p className="text-ink-2">The settings are the same.</p>;
  return <DataTable label="Differences" columns={COLUMNS} rows={differences} rowId={(row) => row.path} empty={null} />;
}
