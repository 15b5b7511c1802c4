/** The cache of the made-up world, and the way each of its requests took. */
import type { CacheView, RequestAttemptView, RequestCacheView, RequestView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import type { World } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

const MIB = 1_048_576;

function cacheOf({ requests, scenario, purged }: World, days: number): CacheView {
  const isUsed = requests.length > 0;
  const eligible = isUsed ? 84 * days : 0;
  const hits = isUsed ? 31 * days : 0;
  return {
    enabled: true,
    sentence: isUsed
      ? `${hits} of ${eligible} repeatable requests were answered without asking a provider.`
      : "Nothing has been asked twice yet.",
    ttl_secs: 600,
    tiers: [
      {
        tier: "memory",
        state: "on",
        detail: "The most used answers; gone when Gatehouse stops.",
        entries: purged ? 0 : isUsed ? 212 : 0,
        bytes: purged ? 0 : isUsed ? 9 * MIB : 0,
        bytes_max: 64 * MIB,
        hits: isUsed ? 24 * days : 0,
      },
      {
        tier: "disk",
        state: "on",
        detail: "Compressed; outlives a restart.",
        entries: purged ? 0 : isUsed ? 1_840 : 0,
        bytes: purged ? 0 : isUsed ? 118 * MIB : 0,
        bytes_max: 512 * MIB,
        hits: isUsed ? 7 * days : 0,
      },
      scenario === "failing"
        ? {
            tier: "shared",
            state: "lost",
            detail: "redis://10.0.0.4:6379 does not answer; requests go past it.",
            entries: null,
            bytes: null,
            bytes_max: null,
            hits: 0,
          }
        : {
            tier: "shared",
            state: "off",
            detail: "No Redis or Valkey server is named in the settings.",
            entries: null,
            bytes: null,
            bytes_max: null,
            hits: 0,
          },
    ],
    eligible,
    hits,
    joined: isUsed ? 6 * days : 0,
    hit_percent: isUsed ? 36.9 : null,
    saved: isUsed ? 412_300 * days : 0,
    saved_ms: isUsed ? 71_400 * days : 0,
    bypasses: isUsed
      ? [
          {
            reason: "temperature",
            label: "The temperature is not 0, so each answer may differ",
            hint: 'Set temperature 0, or cache = "on" for the route.',
            requests: 196 * days,
          },
          { reason: "tools", label: "The request has tools with effects", hint: null, requests: 41 * days },
          {
            reason: "client_off",
            label: "The client asked for no cache",
            hint: "It sends cache-control: no-store.",
            requests: 12 * days,
          },
          { reason: "too_large", label: "The answer is larger than 1 MiB", hint: null, requests: 3 * days },
        ]
      : [],
    advice: isUsed
      ? "19 of the last 53 misses asked again within 40 minutes: a time to live of 45 minutes would have answered them."
      : null,
  };
}

const DAYS = { today: 1, last_day: 1, last_week: 7, last_month: 30 };

function pathCache(request: RequestView): RequestCacheView {
  if (request.state === "complete" && request.id.endsWith("7"))
    return {
      outcome: "hit",
      reason: "The same question was answered 4 minutes before.",
      saved: 11_200,
      saved_ms: 2_140,
    };
  return {
    outcome: "bypass",
    reason: "The temperature is not 0, so each answer may differ.",
    saved: null,
    saved_ms: null,
  };
}

function attemptsOf(request: RequestView): RequestAttemptView[] {
  const last: RequestAttemptView = {
    backend: request.backend ?? "none",
    credential: request.backend === "ollama" ? null : request.backend,
    model: request.model_billed ?? request.model_asked.split("/").slice(1).join("/"),
    waited_ms: request.attempts > 1 ? 340 : 0,
    duration_ms: request.total_ms ?? 0,
    http_status: request.http_status,
    class: request.state === "failed" ? (request.http_status === 401 ? "key rejected" : "connection refused") : null,
    owner: request.state === "failed" ? (request.http_status === 401 ? "key" : "endpoint") : null,
    error: request.error,
    cost: request.cost,
    cost_basis: request.cost_basis,
  };
  if (request.attempts < 2) return [last];
  const first: RequestAttemptView = {
    ...last,
    backend: "groq",
    credential: "groq",
    model: "llama-5-70b",
    waited_ms: 0,
    duration_ms: 212,
    http_status: 503,
    class: "server error",
    owner: "endpoint",
    error: "groq answered 503: over capacity.",
    cost: 0,
    cost_basis: "not_billed",
  };
  return [first, last];
}

export function fakeCache({
  world,
  now: _now,
  answer,
  changed,
}: Doing): Pick<Host, "cache" | "cachePurge" | "requestPath"> {
  return {
    cache: (req) => answer(() => cacheOf(world, DAYS[req.range])),
    cachePurge: (req) =>
      answer(() => {
        if (req.what.kind === "everything") world.purged = true;
        const entries = req.what.kind === "everything" ? 2_052 : req.what.kind === "older_than" ? 640 : 87;
        changed("cache");
        return { entries, sentence: `${entries.toLocaleString("en-US")} answers were thrown away.` };
      }),
    requestPath: (req) =>
      answer(() => {
        const request =
          world.requests.find((known) => known.id === req.id) ??
          raise(fault("not_found", `There is no request ${req.id}.`, "It may be older than what is kept."));
        return {
          id: request.id,
          route: request.attempts > 1 ? "fast" : null,
          queued_ms: request.attempts > 1 ? 18 : null,
          attempts: attemptsOf(request),
          passed_over:
            request.attempts > 1
              ? [
                  {
                    backend: "ollama",
                    credential: null,
                    model: "qwen4-coder:30b",
                    reason: "It takes no tools.",
                  },
                ]
              : [],
          cache: pathCache(request),
        };
      }),
  };
}
