/** 24 small bars without axes; where a value is not known, there is none. The label contains the numbers. Failures are red, at the foot of each bar. */
import { Fragment } from "react";

export function Sparkline({
  values,
  failed = [],
  label,
  height = 20,
}: {
  values: (number | null)[];
  failed?: number[];
  label: string;
  height?: number;
}) {
  const highest = Math.max(1, ...values.map((value) => value ?? 0));
  const step = 100 / Math.max(values.length, 1);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 100 ${height}`}
      preserveAspectRatio="none"
      height={height}
      className="block w-full"
    >
      {values.map((value, index) => {
        if (value === null) return null;
        const size = value === 0 ? 1 : Math.max((value / highest) * height, 2);
        const bad = value === 0 ? 0 : size * Math.min((failed[index] ?? 0) / value, 1);
        const place = { x: index * step + step * 0.15, width: step * 0.7 };
        return (
          <Fragment key={index}>
            <rect
              {...place}
              y={height - size}
              height={size - bad}
              className={value === 0 ? "fill-surface-3" : "fill-accent"}
            />
            {bad > 0 && <rect {...place} y={height - bad} height={bad} className="fill-bad" />}
          </Fragment>
        );
      })}
    </svg>
  );
}
