/** Statements of the fake data, over its requests of the month. */
import type { RequestView, SavedFile, StatementQuery, TextFile } from "@/ipc/bindings";

const MEDIA_TYPES = {
  html: "text/html;charset=utf-8",
  csv: "text/csv;charset=utf-8",
  json: "application/json",
} as const;

export function statementOf(requests: RequestView[], query: StatementQuery, now: number): TextFile {
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
    is_whole: true,
  };
}

/** The file in the folder for downloads. */
export function savedFile({ name, requests, unpriced_requests, cost_nano_usd, is_whole }: TextFile): SavedFile {
  return { path: `/home/dev/Downloads/${name}`, requests, unpriced_requests, cost_nano_usd, is_whole };
}
