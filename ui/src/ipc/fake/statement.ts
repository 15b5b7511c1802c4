/** Statements of the fake data, over its requests of the month. */
import type { RequestView, SavedFile, StatementQuery, TextFile } from "@/ipc/bindings";
import { spendOf } from "@/ipc/fake/traffic";

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
  return {
    name: `gatehouse-${month}.${query.format}`,
    media_type: MEDIA_TYPES[query.format],
    text: `AI usage, ${month}: ${counted.length} requests\n`,
    ...spendOf(counted),
    is_whole: true,
  };
}

/** The file in the folder for downloads. */
export function savedFile({ name, media_type: _type, text: _text, ...rest }: TextFile): SavedFile {
  return { path: `/home/dev/Downloads/${name}`, ...rest };
}
