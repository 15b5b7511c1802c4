/** 24 small bars without axes, for a glance; its numbers are said in its label. */
export function Sparkline({ values, label, height = 20 }: { values: number[]; label: string; height?: number }) {
  const highest = Math.max(1, ...values);
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
        const size = value === 0 ? 1 : Math.max((value / highest) * height, 2);
        return (
          <rect
            key={index}
            x={index * step + step * 0.15}
            y={height - size}
            width={step * 0.7}
            height={size}
            className={value === 0 ? "fill-surface-3" : "fill-accent"}
          />
        );
      })}
    </svg>
  );
}
