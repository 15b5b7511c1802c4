/** The table behind a chart: as high as the chart, so that nothing moves. */
import type { ReactNode } from "react";

interface ChartTableProps {
  label: string;
  height: number;
  /** The first is the header of the rows. */
  columns: string[];
  rows: { key: string; cells: ReactNode[] }[];
}

const HEAD = "sticky top-0 bg-surface-1 pb-1.5 font-medium";

export function ChartTable({ label, height, columns, rows }: ChartTableProps) {
  return (
    <div role="region" aria-label={label} tabIndex={0} style={{ height }} className="focus-inset overflow-auto">
      <table className="w-full border-separate border-spacing-0">
        <thead>
          <tr className="text-12 text-ink-3">
            {columns.map((column, index) => (
              <th key={index} scope="col" className={index === 0 ? `${HEAD} text-left` : `numeric ${HEAD} pl-4`}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells: [head, ...cells] }) => (
            <tr key={key}>
              <th
                scope="row"
                className="border-t border-line py-1.5 text-left font-normal whitespace-nowrap text-ink-2"
              >
                {head}
              </th>
              {cells.map((cell, index) => (
                <td key={index} className="numeric border-t border-line py-1.5 pl-4">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
