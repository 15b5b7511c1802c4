/** The filters of the fake requests, their code, and the saved views. */
import type {
  RequestQueryWord,
  RequestsFormat,
  RequestsQuery,
  RequestView,
  SavedView,
  SnippetView,
  TextFile,
} from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import { savedFile } from "@/ipc/fake/statement";
import { failedAttempts, spendOf } from "@/ipc/fake/traffic";
import { checksAmong, wastedAmong } from "@/ipc/fake/waste";
import type { Host } from "@/ipc/host";
import { toCsv } from "@/lib/csv";

const MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const VIEWS_MAX = 50;

/** Like the core's reading of `5s`, with its error. */
function spanOf(field: string, text: string | null | undefined): number | null {
  if (text == null) return null;
  const [, number, unit] = /^(\d+)([a-z]+)$/.exec(text.trim()) ?? [];
  const ms = MS[unit ?? ""];
  if (number === undefined || ms === undefined)
    throw fault("invalid_input", "enter a time span, such as 800ms, 5s, 90m or 7d", null, field);
  return Number(number) * ms;
}

function nanosOf(field: string, text: string | null | undefined): number | null {
  if (text == null) return null;
  if (!/^\$?\d+(\.\d{0,9})?$/.test(text.trim()))
    throw fault("invalid_input", "enter an amount in US dollars, such as 0.10", null, field);
  return Math.round(Number(text.trim().replace("$", "")) * 1_000_000_000);
}

function equal(asked: string | null | undefined, found: string | null): boolean {
  return asked == null || asked === (found ?? "");
}

/** The requests that match every filter. */
function filtered(requests: RequestView[], query: RequestsQuery, now: number): RequestView[] {
  const least = nanosOf("min_cost", query.min_cost);
  const most = nanosOf("max_cost", query.max_cost);
  const slower = spanOf("slower_than", query.slower_than);
  const faster = spanOf("faster_than", query.faster_than);
  const period = periodOf(query.within, now);
  const since = Math.max(query.since ?? 0, period.since);
  const asked = query.waste == null ? requests : wastedAmong(requests, query.waste);
  return asked.filter(
    (request) =>
      equal(query.backend, request.backend) &&
      equal(query.key, request.key) &&
      equal(query.client, request.client) &&
      equal(query.project, request.project) &&
      equal(query.route, request.route) &&
      equal(query.state, request.state) &&
      equal(query.cache, request.cache) &&
      (query.model == null || matchesModel(request, query.model)) &&
      (query.failure == null || failuresOf(request).includes(query.failure)) &&
      (query.http_status == null || matchesStatus(request.http_status, query.http_status)) &&
      (query.unpriced !== true || request.cost_nano_usd === null) &&
      (least === null || (request.cost_nano_usd ?? -1) >= least) &&
      (most === null || (request.cost_nano_usd !== null && request.cost_nano_usd <= most)) &&
      (slower === null || (request.total_ms ?? -1) >= slower) &&
      (faster === null || (request.total_ms !== null && request.total_ms <= faster)) &&
      request.started_at >= since &&
      request.started_at < Math.min(query.until ?? Infinity, period.until),
  );
}

/** What a period that begins before the kept requests leaves out. */
function keptNote(query: RequestsQuery, now: number, days: number): string | null {
  const since = Math.max(query.since ?? 0, periodOf(query.within, now).since);
  const isBefore = since > 0 && since < now - days * (MS.d ?? 0);
  return isBefore ? `Requests older than ${days} days are no longer kept; sums stay.` : null;
}

/** Spans, and days as both ends; the core reads more. */
function periodOf(text: string | null | undefined, now: number): { since: number; until: number } {
  const ends = text?.match(/^(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)$/);
  if (ends) return { since: Date.parse(ends[1] ?? ""), until: Date.parse(ends[2] ?? "") + 86_400_000 };
  const span = spanOf("within", text?.replace(/^last /, ""));
  return { since: span === null ? 0 : now - span, until: Infinity };
}

function failuresOf(request: RequestView): string[] {
  return [...failedAttempts(request), request.error_class ?? ""];
}

function matchesModel({ model_asked, model_billed }: RequestView, pattern: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.?+^$()[\]{}|\\]/g, "\\$&"));
  const model = new RegExp(`^${parts.join(".*")}$`, parts.length > 1 ? "i" : "");
  return model.test(model_asked) || (model_billed !== null && model.test(model_billed));
}

function matchesStatus(status: number | null, asked: string): boolean {
  if (status === null) return false;
  return asked.endsWith("xx") ? Math.floor(status / 100) === Number(asked[0]) : status === Number(asked);
}

function snippetsOf(request: RequestView, port: number): SnippetView[] {
  const address = `http://127.0.0.1:${port}/v1`;
  const body = JSON.stringify({
    model: request.model_asked,
    messages: [{ role: "user", content: "Your prompt" }],
    stream: request.stream,
  });
  return [
    {
      title: "curl",
      code: `curl -N '${address}/chat/completions' \\\n  -H "authorization: Bearer $(gatehouse token ${request.client})" \\\n  -H 'content-type: application/json' \\\n  -d '${body}'`,
    },
    {
      title: "Python, openai",
      code: `# export GATEHOUSE_TOKEN="$(gatehouse token ${request.client})"\nimport os\n\nfrom openai import OpenAI\n\nclient = OpenAI(base_url="${address}", api_key=os.environ["GATEHOUSE_TOKEN"])\nstream = client.chat.completions.create(\n    model="${request.model_asked}",\n    messages=[{"role": "user", "content": "Your prompt"}],\n    stream=True,\n)`,
    },
  ];
}

/** A few of the columns that the core writes. */
function fileOf(requests: RequestView[], format: RequestsFormat): TextFile {
  const rows = requests.map(({ id, model_asked, cost_nano_usd }) => ({ id, model_asked, cost_nano_usd }));
  const text =
    format === "json"
      ? JSON.stringify(rows)
      : toCsv(
          ["id", "model_asked", "cost_nano_usd"],
          rows.map((row) => [row.id, row.model_asked, row.cost_nano_usd ?? ""]),
        );
  return {
    name: `gatehouse-requests-2026-11-21T08-00-00Z.${format}`,
    media_type: format === "json" ? "application/json" : "text/csv;charset=utf-8",
    text,
    ...spendOf(requests),
    is_whole: true,
  };
}

/** A few of the words that the core reads. */
const WORDS: RequestQueryWord[] = [
  { word: "state", example: "state:failed", means: "whether it runs, or how it ended" },
  { word: "status", example: "status:5xx", means: "an HTTP status, or a class of them" },
  { word: "client", example: "client:codex", means: "the client that asked" },
  { word: "project", example: 'project:""', means: 'the project; "" for none' },
  { word: "cost", example: "cost>0.10", means: "at least so many US dollars; cost<1 at most" },
  { word: "took", example: "took>5s", means: "at least so long; took<800ms at most" },
];

function queryOf(text: string): RequestsQuery {
  const parts = [...text.matchAll(/(?:(\w+)(:|>|<))?(\S+)/g)];
  return Object.assign({}, ...parts.map((part) => termOf(part[1], part[2], part[3] ?? "", (part.index ?? 0) + 1)));
}

function termOf(name: string | undefined, sign: string | undefined, value: string, at: number): RequestsQuery {
  const bound = sign === ">" ? { cost: "min_cost", took: "slower_than" } : { cost: "max_cost", took: "faster_than" };
  const field = { status: "http_status", client: "client", state: "state", project: "project", ...bound }[name ?? ""];
  if (name === undefined) return { model: `*${value}*` };
  if (field === undefined) {
    const hint = "The filters are state, status, client, project, cost, took.";
    throw fault("invalid_input", `at character ${at}: there is no filter named ${name}`, hint, "text");
  }
  return { [field]: value.replaceAll('"', "") };
}

export function fakeRequests({
  world,
  now,
  answer,
  changed,
}: Doing): Pick<
  Host,
  | "requests"
  | "requestsExport"
  | "requestsExportSave"
  | "requestCode"
  | "requestQuery"
  | "savedViews"
  | "savedViewSet"
  | "savedViewRemove"
> {
  const views: SavedView[] =
    world.requests.length === 0 ? [] : [{ name: "slow-and-dear", query: { slower_than: "20s", min_cost: "0.05" } }];
  return {
    requests: (req) =>
      answer(() => {
        const limit = req.limit ?? 0;
        const rows = filtered(world.requests, req, now());
        const first = req.before == null ? 0 : rows.findIndex((request) => request.id === req.before) + 1;
        const page = rows.slice(first, first + limit);
        const next = first + limit < rows.length ? (page.at(-1)?.id ?? null) : null;
        const no_longer_kept = keptNote(req, now(), world.settings.values.retention_days);
        return { requests: page, next, looked_back_to: null, no_longer_kept };
      }),
    requestQuery: ({ text }) => answer(() => ({ query: queryOf(text), words: WORDS })),
    requestsExport: (req) => answer(() => fileOf(filtered(world.requests, req.query, now()), req.format)),
    requestsExportSave: (req) =>
      answer(() => savedFile(fileOf(filtered(world.requests, req.query, now()), req.format))),
    requestCode: (req) =>
      answer(() => {
        const request =
          [...world.requests, ...checksAmong(world.requests)].find((known) => known.id === req.id) ??
          raise(fault("not_found", `There is no request ${req.id}.`, "It may have been deleted."));
        return {
          note: "Prompts are not kept, so the code has a placeholder for yours. It holds no token.",
          snippets: snippetsOf(request, world.settings.values.gateway_port),
        };
      }),
    savedViews: () => answer(() => [...views]),
    savedViewSet: (req) =>
      answer(() => {
        if (!/^[a-z0-9][a-z0-9._-]*$/.test(req.name))
          throw fault("invalid_input", "use a-z, 0-9, '.', '_' and '-'", null, "name");
        filtered([], req.query, now());
        const known = views.findIndex((view) => view.name === req.name);
        if (known < 0 && views.length >= VIEWS_MAX)
          throw fault("invalid_input", `there are ${VIEWS_MAX} saved views; remove one first`, null, "name");
        views.splice(known < 0 ? views.length : known, 1, req);
        changed("settings");
        return null;
      }),
    savedViewRemove: (req) =>
      answer(() => {
        const known = views.findIndex((view) => view.name === req.name);
        if (known < 0) throw fault("not_found", `there is no view named ${req.name}`, null);
        views.splice(known, 1);
        changed("settings");
        return null;
      }),
  };
}
