/** Horizontal lines of a chart, each with its value on the left. */
interface ValueAxisProps {
  ticks: number[];
  /** Where a value lies, from the top. */
  y: (value: number) => number;
  width: number;
  format: (value: number) => string;
}

export function ValueAxis({ ticks, y, width, format }: ValueAxisProps) {
  return ticks.map((tick) => (
    <g key={tick} transform={`translate(0,${y(tick)})`}>
      <line x2={width} className={tick === 0 ? "stroke-line-strong" : "stroke-line"} shapeRendering="crispEdges" />
      <text x={-8} dy="0.32em" textAnchor="end" className="fill-ink-3 text-11">
        {format(tick)}
      </text>
    </g>
  ));
}
