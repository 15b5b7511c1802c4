/** The names of a chart's points below it, as many as there is room for; the last one always. */
const LABEL_WIDTH_PX = 52;

interface PointAxisProps {
  points: { key: string; label: string }[];
  /** Where the middle of a point lies, from the left. */
  at: (index: number) => number;
  /** Of the plot, in pixels. */
  width: number;
  height: number;
  cursor: number | null;
}

export function PointAxis({ points, at, width, height, cursor }: PointAxisProps) {
  const labelEvery = Math.max(1, Math.ceil((points.length * LABEL_WIDTH_PX) / width));
  return points.map((point, index) =>
    (points.length - 1 - index) % labelEvery === 0 ? (
      <text
        key={point.key}
        x={at(index)}
        y={height + 16}
        textAnchor="middle"
        className={index === cursor ? "fill-ink-1 text-11" : "fill-ink-3 text-11"}
      >
        {point.label}
      </text>
    ) : null,
  );
}
