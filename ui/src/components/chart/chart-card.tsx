/** A chart under its finding, with the table behind it and the export of that table. */
import { ChartColumn, Table2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { IconButton } from "@/components/button/button";
import { CsvMenu } from "@/components/table/csv-menu";
import { classNames } from "@/lib/class-names";

interface ChartCardProps {
  /** What the chart shows, in one sentence. */
  finding: string;
  /** Period and unit. */
  note: ReactNode;
  controls?: ReactNode;
  /** The chart in numbers. */
  table: ReactNode;
  /** None if the screen itself exports it. */
  file?: { name: string; csv: () => string };
  className?: string;
  children: ReactNode;
}

export function ChartCard({ finding, note, controls, table, file, className, children }: ChartCardProps) {
  const [view, setView] = useState<"chart" | "table">("chart");
  return (
    <figure
      aria-label={finding}
      className={classNames("min-w-0 rounded-card border border-line bg-surface-1 px-4 pt-3 pb-3", className)}
    >
      <figcaption className="mb-3 flex items-start gap-2 [--control-height:28px]">
        <div className="min-w-0 flex-1 pr-2">
          <h2 className="line-clamp-2 text-15 font-semibold text-pretty text-ink-1" title={finding}>
            {finding}
          </h2>
          <p className="truncate text-12 text-ink-3">{note}</p>
        </div>
        {controls}
        {/* The icons, not the room around them, end at the edge of the chart. */}
        <span className="-mr-1.5 flex">
          <IconButton
            label={view === "chart" ? "Show as table" : "Show as chart"}
            icon={view === "chart" ? Table2 : ChartColumn}
            onClick={() => setView(view === "chart" ? "table" : "chart")}
          />
          {file && <CsvMenu small {...file} />}
        </span>
      </figcaption>
      {view === "chart" ? children : table}
    </figure>
  );
}
