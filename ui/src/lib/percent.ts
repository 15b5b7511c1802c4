/** Shares of time and of requests, rounded down, so that only what never failed is 100 %; a dash for none. */
export function formatPercent(percent: number | null): string {
  if (percent === null) return "–";
  const floored = Math.floor(percent * 100 + 1e-6) / 100;
  return floored >= 100 ? "100 %" : `${floored.toFixed(2)} %`;
}
