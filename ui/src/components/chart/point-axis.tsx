/** The names of a chart's points below it: those chosen for it, or as many as there is room for, the last one always. */
const LABEL_WIDTH_PX = 52;

interface PointAxisProps {
  points: { key: string; label: string }[];
  /** The names by the index of their point; the points' own where there is room, if left out. */
  ticks?: Map<number, string> | undefined;
  /** Where the middle of a point lies, from the left. */
  at: (index: number) => number;
  /** Of the plot, in pixels. */
  width: number;
  height: number;
  cursor: number | null;
}

export function PointAxis({ points, ticks, at, width, height, cursor }: PointAxisProps) {
  const labelEvery = Math.max(1, Math.ceil((points.length * LABEL_WIDTH_PX) / width));
  const isNamed = (index: number) => (points.length - 1 - index) % labelEvery === 0;
  return points.map((point, index) => {
    const name = ticks ? ticks.get(index) : isNamed(index) ? point.label : undefined;
    return name === undefined ? null : (
      <text
        key={point.key}
        x={at(index)}
        y={height + 16}
        textAnchor="middle"
        className={index === cursor ? "fill-ink-1 text-11" : "fill-ink-3 text-11"}
      >
        {name}
      </text>
    );
  });
}
