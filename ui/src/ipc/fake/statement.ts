/** Statements of the fake data, over its requests of the month. */
import type { RequestView, StatementFile, StatementQuery } from "@/ipc/bindings";

const MEDIA_TYPES = {
  html: "text/html;charset=utf-8",
  csv: "text/csv;charset=utf-8",
  json: "application/json",
} as const;

export function statementOf(requests: RequestView[], query: StatementQuery, now: number): StatementFile {
  const month = query.month ?? new Date(now).toISOString().slice(0, 7);
  const counted = requests.filter(
    (request) =>
      new Date(request.started_at).toISOString().startsWith(month) &&
      (query.project == null || (request.project ?? "") === query.project),
  );
  const cost = counted.reduce((sum, request) => sum + (request.cost_nano_usd ?? 0), 0);
  return {
    name: `gatehouse-${month}.${query.format}`,
    media_type: MEDIA_TYPES[query.format],
    text: `AI usage, ${month}: ${counted.length} requests\n`,
    requests: counted.length,
    unpriced_requests: counted.filter((request) => request.cost_nano_usd === null).length,
    cost_nano_usd: cost,
  };
}
