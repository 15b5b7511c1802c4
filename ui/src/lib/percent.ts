/**
 * A percentage with as many digits as matter: `37 %`, `92.5 %`, `99.95 %`, `3.4 %`, `0.02 %`; a dash for none. From 90 on
 * rounded down, so that no goal seems met that is missed, and only what never failed is 100 %.
 */
export function formatPercent(percent: number | null): string {
  if (percent === null) return "–";
  if (percent < 0) return `−${formatPercent(-percent)}`;
  if (percent > 0 && percent < 0.01) return "<0.01 %";
  const fromEnd = Math.min(percent, Math.abs(100 - percent));
  const scale = fromEnd >= 10 || percent > 100 ? 1 : fromEnd >= 1 ? 10 : 100;
  const scaled = percent * scale;
  return `${(percent >= 90 ? Math.floor(scaled + 1e-6) : Math.round(scaled)) / scale} %`;
}
