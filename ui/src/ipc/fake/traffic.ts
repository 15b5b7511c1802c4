/** A month of requests for the fake data, and the totals a core would keep over them. */
import type {
  CostBasisView,
  FailureClass,
  LineItemView,
  MeterTotalsView,
  ModelView,
  RequestView,
  RequestState,
  UnpricedView,
  UsageBasis,
  GroupBy,
  UsageGroupView,
  UsageCrossQuery,
  UsageCrossView,
  UsageFilter,
  UsagePeriodQuery,
  UsageReportQuery,
  UsageSegmentView,
  UsageTotalsView,
  UsageView,
  SpendView,
} from "@/ipc/bindings";
import { basisOf, BASIS_WORDS, findingOf, isUnknown, onBasis } from "@/ipc/fake/basis";
import { invoiceOf } from "@/ipc/fake/invoice";
import { modelsOf } from "@/ipc/fake/catalogue";
import { groupNames } from "@/ipc/fake/group-names";
import { groupBy } from "@/lib/group";
import type { Random } from "@/ipc/fake/random";
import { DAY_MS, HOUR_MS } from "@/lib/time";

const DAYS = 30;
const GROUPS_MAX = 8;
const CLIENTS = ["claude-code", "claude-code", "claude-code", "codex", "codex", "zed"] as const;
const BACKENDS = ["openai", "openai", "openai", "openrouter", "openrouter", "groq", "groq", "ollama"] as const;

export function makeRequests(random: Random, now: number, failing: boolean): RequestView[] {
  const moments: number[] = [];
  for (let daysAgo = 0; daysAgo < DAYS; daysAgo += 1) {
    const date = new Date(now - daysAgo * DAY_MS);
    const isWeekend = date.getDay() % 6 === 0;
    const count = isWeekend ? random.between(2, 14) : random.between(26, 74);
    for (let index = 0; index < count; index += 1) {
      const hour = 7 + Math.floor(Math.sqrt(random.next()) * 12);
      const moment = new Date(date).setHours(hour, random.between(0, 59), random.between(0, 59), 0);
      if (moment <= now - 90_000) moments.push(moment);
    }
  }
  moments.push(now - 94_000, now - 152_000, now - 331_000, now - 402_000);
  return moments
    .toSorted((left, right) => right - left)
    .map((moment, index) => makeRequest(random, moment, moments.length - index, now, failing));
}

function outcome(random: Random, isBroken: boolean): RequestState {
  const dice = random.next();
  if (isBroken && dice < 0.7) return "failed";
  return dice < 0.955 ? "complete" : dice < 0.972 ? "partial" : dice < 0.986 ? "cancelled" : "failed";
}

function makeRequest(random: Random, at: number, number: number, now: number, failing: boolean): RequestView {
  const backend = random.pick(BACKENDS);
  const model = random.pick(modelsOf(backend) as [ModelView, ...ModelView[]]);
  const isBroken = failing && now - at < 3 * HOUR_MS && (backend === "ollama" || backend === "openrouter");
  const state = outcome(random, isBroken);
  const input = random.between(1_200, 46_000);
  const dice = random.next();
  const output = random.between(60, 2_900);
  const says = state !== "failed" && random.next() > 0.02;
  const usageBasis = says ? usageBasisOf(backend, number) : null;
  const cached = usageBasis === "estimated" ? 0 : Math.floor(input * dice * 0.7);
  const cost = says && model.price ? costOf(model, input, cached, output) : null;
  const first = random.between(backend === "groq" ? 90 : 280, backend === "groq" ? 420 : 1_900);
  return {
    id: `req_${(0x1a2b00 + number).toString(16)}`,
    started_at: at,
    ...ownerOf(random.pick(CLIENTS)),
    backend,
    key: backend === "ollama" ? null : backend,
    route: number % 3 === 0 ? "fast" : `${backend}/${model.id}`,
    cache: state === "complete" && number % 16 === 7 ? "hit" : "bypass",
    model_asked: `${backend}/${model.id}`,
    model_billed: says ? model.id : null,
    state,
    error_class: state === "failed" ? (backend === "ollama" ? "backend_unreachable" : "backend_key_rejected") : null,
    http_status: state === "failed" ? (backend === "ollama" ? 502 : 401) : state === "cancelled" ? null : 200,
    error:
      state === "failed"
        ? backend === "ollama"
          ? "ollama refused the connection at 127.0.0.1:11434. Start it, or switch the backend off."
          : "The provider rejected the key: 401, invalid_api_key."
        : state === "partial"
          ? "The backend did not answer in time: no data for 30 s after 412 tokens."
          : null,
    device: null,
    explanation: `The name ${backend}/${model.id} names the backend ${backend}, which was up and switched on.`,
    stream: random.next() > 0.2,
    finish_reason: state === "complete" ? random.pick(["stop", "stop", "tool_calls"]) : null,
    input_tokens: says ? input : null,
    cache_read_tokens: says ? cached : null,
    output_tokens: says ? output : null,
    usage_basis: usageBasis,
    usage_raw:
      usageBasis === null || usageBasis === "estimated"
        ? null
        : usageObject(input, cached, usageBasis === "adjusted" ? `${output}.0` : output),
    cost_nano_usd: state === "failed" ? 0 : cost,
    cost_basis: state === "failed" ? "not_billed" : costBasisOf(cost, usageBasis, backend),
    unpriced: state === "failed" || cost !== null ? null : says ? NO_PRICE : NO_USAGE,
    first_token_ms: state === "failed" ? null : first,
    ...durationOf(at, first + output * random.between(6, 14)),
    attempts: random.next() > 0.96 ? 2 : 1,
  };
}

const NO_PRICE: UnpricedView = {
  reason: "no_price",
  sentence: "No price is known for this model at this backend.",
  missing: { meter: null, tier: "standard", region: null },
};
const NO_USAGE: UnpricedView = { reason: "no_usage", sentence: "The backend reported no usage.", missing: null };

function ownerOf(client: string) {
  return { client, project: client === "claude-code" ? "website" : null };
}

function durationOf(at: number, total: number) {
  return { total_ms: total, ended_at: at + total };
}

/** Some backends omit usage, and now and then one reports an invalid number. */
function usageBasisOf(backend: string, number: number): UsageBasis {
  if (backend !== "openrouter" && number % 7 === 0) return "estimated";
  return number % 41 === 0 ? "adjusted" : "reported";
}

function costBasisOf(cost: number | null, tokens: UsageBasis | null, backend: string): CostBasisView {
  if (cost === null) return "unpriced";
  if (tokens === "estimated") return "estimated";
  return backend === "openrouter" ? "reported" : "computed";
}

function usageObject(input: number, cached: number, output: number | string): string {
  return JSON.stringify({
    prompt_tokens: input,
    completion_tokens: output,
    prompt_tokens_details: { cached_tokens: cached },
  });
}

function costOf(model: ModelView, input: number, cached: number, output: number): number {
  const price = model.price;
  if (price === null) return 0;
  const fresh = price.cache_read_nano_usd === null ? input : input - cached;
  const kept = price.cache_read_nano_usd === null ? 0 : cached;
  return Math.round(
    (fresh * (price.input_nano_usd ?? 0) +
      kept * (price.cache_read_nano_usd ?? 0) +
      output * (price.output_nano_usd ?? 0)) /
      1_000_000,
  );
}

export function spendOf(requests: RequestView[]): SpendView {
  const { cost_nano_usd, is_cost_unknown, requests: count, unpriced_requests } = totalsOf(requests);
  return { cost_nano_usd, is_cost_unknown, requests: count, unpriced_requests };
}

export function totalsOf(requests: RequestView[]): UsageTotalsView {
  const sum = (value: (request: RequestView) => number | null) =>
    requests.reduce((total, request) => total + (value(request) ?? 0), 0);
  const unpriced = sum((request) => (request.cost_nano_usd === null ? 1 : 0));
  const priced = requests.length - unpriced;
  const cost = sum((request) => request.cost_nano_usd);
  return {
    cost_nano_usd: cost,
    is_cost_unknown: isUnknown(cost, requests.length, unpriced),
    requests: requests.length,
    unpriced_requests: unpriced,
    priced_percent: requests.length === 0 ? null : Math.floor((priced * 100) / requests.length),
    failed_requests: sum((request) => (request.state === "failed" ? 1 : 0)),
    input_tokens: sum((request) => request.input_tokens),
    cache_read_tokens: sum((request) => request.cache_read_tokens),
    output_tokens: sum((request) => request.output_tokens),
    reasoning_tokens: sum((request) => Math.floor((request.output_tokens ?? 0) / 5)),
    retries: sum((request) => Math.max(request.attempts - 1, 0)),
    wasted_nano_usd: sum((request) => (request.attempts > 1 ? Math.floor((request.cost_nano_usd ?? 0) / 10) : 0)),
    saved_nano_usd: sum((request) => (isHit(request) ? 2_400_000 : 0)),
    cache_hits: sum((request) => (isHit(request) ? 1 : 0)),
    cache_misses: sum((request) => (request.cache === "miss" ? 1 : 0)),
  };
}

function isHit(request: RequestView): boolean {
  return request.cache !== "bypass" && request.cache !== "miss";
}

export function groupKey(request: RequestView, by: GroupBy): string {
  switch (by) {
    case "backend":
      return request.backend ?? "";
    case "model":
      return request.model_billed ?? request.model_asked;
    case "client":
      return request.client;
    case "credential":
      return request.backend === "ollama" ? "" : (request.backend ?? "");
    case "route":
      return request.model_asked;
    case "project":
      return request.client === "claude-code" ? "website" : "";
  }
}

export function startOfDay(now: number, zone: UsageReportQuery["zone"]): number {
  const date = new Date(now);
  return zone === "utc" ? date.setUTCHours(0, 0, 0, 0) : date.setHours(0, 0, 0, 0);
}

/** Whether a request counts with this filter. */
export function isWanted(request: RequestView, filter: UsageFilter | undefined): boolean {
  const dimensions: GroupBy[] = ["backend", "model", "client", "credential", "project", "route"];
  return dimensions.every((by) => {
    const wanted = filter?.[by];
    return wanted === undefined || wanted === null || groupKey(request, by) === wanted;
  });
}

export function failedAttempts({ state, http_status, attempts }: RequestView): FailureClass[] {
  const last: FailureClass[] = state === "failed" ? [http_status === 401 ? "key-rejected" : "connect"] : [];
  return attempts > 1 ? [...last, "server"] : last;
}

type Starts = { starts: number[]; label: (start: number) => string };

export function startsOf(query: UsagePeriodQuery, now: number): Starts {
  const timeZone = query.zone === "utc" ? { timeZone: "UTC" } : {};
  const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", ...timeZone });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", ...timeZone });
  const midnight = startOfDay(now, query.zone);
  const byHour = (first: number) =>
    Array.from({ length: Math.floor((now - first) / HOUR_MS) + 1 }, (_, index) => first + index * HOUR_MS);
  const byDay = (days: number) =>
    Array.from({ length: days }, (_, index) =>
      startOfDay(midnight + 12 * HOUR_MS - (days - 1 - index) * DAY_MS, query.zone),
    );
  if (query.from !== undefined && query.from !== null) {
    const length = now - query.from;
    return length <= 2 * DAY_MS
      ? { starts: byHour(query.from), label: (start) => hour.format(start) }
      : { starts: byDay(Math.ceil(length / DAY_MS)), label: (start) => day.format(start) };
  }
  switch (query.range ?? "today") {
    case "today":
      return { starts: byHour(midnight), label: (start) => hour.format(start) };
    case "last_day":
      return { starts: byHour(now - (now % HOUR_MS) - 23 * HOUR_MS), label: (start) => hour.format(start) };
    case "last_week":
      return { starts: byDay(7), label: (start) => day.format(start) };
    case "last_month":
      return { starts: byDay(DAYS), label: (start) => day.format(start) };
  }
}

function countOf(counted: LineItemView[]): number {
  return counted.reduce((sum, line) => sum + line.quantity, 0);
}

/** Sums the lines of the requests' invoices. */
function metersOf(requests: RequestView[]): MeterTotalsView[] {
  const lines = requests.flatMap((request) => invoiceOf(request).lines);
  const whole = lines.reduce((sum, line) => sum + (line.amount_nano_usd ?? 0), 0);
  const words: [MeterTotalsView["meter"], string][] = [
    ["input", "Input"],
    ["cache_read", "Cache read"],
    ["output", "Output"],
  ];
  return words.flatMap(([meter, label]) => {
    const own = lines.filter((line) => line.meter === label);
    if (own.length === 0) return [];
    const cost = own.reduce((sum, line) => sum + (line.amount_nano_usd ?? 0), 0);
    return {
      meter,
      label,
      unit: "tokens",
      quantity: countOf(own),
      cost_nano_usd: cost,
      is_cost_unknown: own.every((line) => line.amount_nano_usd === null),
      unpriced_quantity: countOf(own.filter((line) => line.amount_nano_usd === null)),
      cost_share_percent: whole === 0 ? null : Math.round((cost * 100) / whole),
    };
  });
}

export function usageOf(
  requests: RequestView[],
  query: UsageReportQuery,
  clock: number,
  backendLabel: (id: string) => string,
): Omit<UsageView, "currency" | "unpriced"> {
  const now = Math.min(clock, query.to ?? clock);
  const { starts, label } = startsOf(query, now);
  const from = starts[0] ?? now;
  const basis = query.basis ?? "known";
  const matching = requests.filter((request) => isWanted(request, query.filter));
  const wanted = onBasis(matching, basis);
  const isInRange = ({ started_at: at }: RequestView) => at >= from && at < now;
  const inRange = wanted.filter(isInRange);
  const length = now - from;
  const before = wanted.filter(({ started_at }) => started_at >= from - length && started_at < from);
  const totals = totalsOf(inRange);
  const byGroup = groupBy(inRange, (request) => groupKey(request, query.group_by ?? "backend"));
  const ordered = [...byGroup]
    .map(([key, rows]) => ({ key, rows, isRest: false, totals: totalsOf(rows) }))
    .toSorted((left, right) => right.totals.cost_nano_usd - left.totals.cost_nano_usd);
  const kept = ordered.slice(0, GROUPS_MAX);
  const rest = ordered.slice(GROUPS_MAX).flatMap((group) => group.rows);
  if (rest.length > 0) kept.push({ key: "", rows: rest, isRest: true, totals: totalsOf(rest) });
  const share = (cost: number) => (totals.cost_nano_usd === 0 ? null : Math.round((cost * 100) / totals.cost_nano_usd));
  const groups: UsageGroupView[] = kept.map((group) => ({
    ...groupNames(group.key, group.isRest, query.group_by ?? "backend", backendLabel),
    totals: group.totals,
    cost_share_percent: group.totals.is_cost_unknown ? null : share(group.totals.cost_nano_usd),
    ...previousOf(group, query, before),
  }));
  const first = groups[0];
  return {
    from,
    to: now,
    zone: query.zone === "utc" ? "UTC" : "Europe/Berlin",
    finding: findingOf(first, totals, basis),
    totals,
    basis: basisOf(totals, basis),
    cost_basis: basis,
    unpriced_word: BASIS_WORDS[basis].unknown,
    groups,
    series: groups.map(({ kind, key, label: name }) => ({ kind, key, label: name })),
    buckets: starts.map((start, index) => {
      const end = starts[index + 1] ?? Infinity;
      const within = (rows: RequestView[]) => rows.filter((row) => row.started_at >= start && row.started_at < end);
      return {
        start,
        label: label(start),
        segments: kept.map(({ rows }) => segmentOf(within(rows))),
        total: segmentOf(within(inRange)),
      };
    }),
    meters: Object.values(query.filter ?? {}).some((name) => name !== null) ? [] : metersOf(matching.filter(isInRange)),
    previous: query.compare
      ? {
          from: from - length,
          to: from,
          label: length > 1.5 * DAY_MS ? `the ${Math.ceil(length / DAY_MS)} days before` : "the day before",
          totals: totalsOf(before),
          cost_change_percent: changeOf(totals.cost_nano_usd, totalsOf(before).cost_nano_usd),
          requests_change_percent: changeOf(inRange.length, before.length),
        }
      : null,
  };
}

function changeOf(now: number, before: number): number | null {
  return before === 0 ? null : Math.round(((now - before) * 100) / before);
}

function previousOf(
  group: { key: string; totals: UsageTotalsView },
  query: UsageReportQuery,
  before: RequestView[],
): Pick<UsageGroupView, "previous" | "cost_change_percent"> {
  if (!query.compare) return { previous: null, cost_change_percent: null };
  const previous = totalsOf(before.filter((request) => groupKey(request, query.group_by ?? "backend") === group.key));
  return { previous, cost_change_percent: changeOf(group.totals.cost_nano_usd, previous.cost_nano_usd) };
}

const CROSS_ROWS_MAX = 20;
const CROSS_COLUMNS_MAX = 8;

/** Sums by two dimensions. */
export function crossOf(
  requests: RequestView[],
  { period, rows, columns }: UsageCrossQuery,
  clock: number,
  backendLabel: (id: string) => string,
): UsageCrossView {
  const now = Math.min(clock, period.to ?? clock);
  const from = startsOf(period, now).starts[0] ?? now;
  const inRange = requests.filter(
    (request) => isWanted(request, period.filter) && request.started_at >= from && request.started_at < now,
  );
  const totals = totalsOf(inRange);
  const rank = (by: GroupBy, limit: number) => {
    const ordered = [...groupBy(inRange, (request) => groupKey(request, by))]
      .map(([key, own]) => ({ key, own, isRest: false }))
      .toSorted((left, right) => totalsOf(right.own).cost_nano_usd - totalsOf(left.own).cost_nano_usd);
    const rest = ordered.slice(limit).flatMap(({ own }) => own);
    const kept = ordered.slice(0, limit);
    return [...kept, ...(rest.length > 0 ? [{ key: "", own: rest, isRest: true }] : [])];
  };
  const [down, across] = [rank(rows, CROSS_ROWS_MAX), rank(columns, CROSS_COLUMNS_MAX)];
  const view = (by: GroupBy) => (group: { key: string; own: RequestView[]; isRest: boolean }) => {
    const sums = totalsOf(group.own);
    const share = totals.cost_nano_usd === 0 ? null : Math.round((sums.cost_nano_usd * 100) / totals.cost_nano_usd);
    return {
      ...groupNames(group.key, group.isRest, by, backendLabel),
      totals: sums,
      cost_share_percent: sums.requests > sums.unpriced_requests ? share : null,
    };
  };
  return {
    from,
    to: now,
    basis: basisOf(totals, "known"),
    cost_basis: "known",
    rows: down.map(view(rows)),
    columns: across.map(view(columns)),
    cells: down.map((row) => {
      const own = new Set(row.own);
      return across.map((column) => totalsOf(column.own.filter((request) => own.has(request))));
    }),
    totals,
  };
}

export function segmentOf(requests: RequestView[]): UsageSegmentView {
  const { input_tokens, output_tokens } = totalsOf(requests);
  return { ...spendOf(requests), tokens: input_tokens + output_tokens };
}
