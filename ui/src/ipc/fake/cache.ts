/** The cache of the fake data, and how each request was handled. */
import type { CacheView, FailureCauseView, RequestAttemptView, RequestCacheView, RequestView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { invoiceOf, NO_INVOICE } from "@/ipc/fake/invoice";
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
      ? `${hits} of ${eligible} repeatable requests were served from cache.`
      : "No cacheable requests in this period.",
    ttl_secs: 600,
    tiers: [
      {
        tier: "memory",
        state: "on",
        detail: "In this process",
        entries: purged ? 0 : isUsed ? 212 : 0,
        bytes: purged ? 0 : isUsed ? 9 * MIB : 0,
        bytes_max: 64 * MIB,
        hits: isUsed ? 24 * days : 0,
      },
      {
        tier: "disk",
        state: "on",
        detail: "On this machine's disk; survives a restart",
        entries: purged ? 0 : isUsed ? 1_840 : 0,
        bytes: purged ? 0 : isUsed ? 118 * MIB : 0,
        bytes_max: 512 * MIB,
        hits: isUsed ? 7 * days : 0,
      },
      scenario === "failing"
        ? {
            tier: "shared",
            state: "lost",
            detail: "The server is not responding, or its password is missing; requests bypass it",
            entries: null,
            bytes: null,
            bytes_max: null,
            hits: 0,
          }
        : {
            tier: "shared",
            state: "off",
            detail: "Switched off",
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
    saved_nano_usd: isUsed ? 412_300_000 * days : 0,
    saved_ms: isUsed ? 71_400 * days : 0,
    bypasses: isUsed
      ? [
          {
            reason: "temperature",
            label: "Not repeatable (temperature is not 0).",
            hint: 'Set temperature 0, or cache = "on" for the route.',
            requests: 196 * days,
          },
          { reason: "tools", label: "The request offers tools.", hint: null, requests: 41 * days },
          {
            reason: "client_off",
            label: "Requested by the client.",
            hint: "Remove the header x-gatehouse-cache: off.",
            requests: 12 * days,
          },
          { reason: "too_large", label: "Requests of this kind are never cached.", hint: null, requests: 3 * days },
        ]
      : [],
    advice: isUsed ? "Doubling the memory limit would serve about 19 more of 53 lookups." : null,
  };
}

const DAYS = { today: 1, last_day: 1, last_week: 7, last_month: 30 };

function pathCache(request: RequestView): RequestCacheView {
  if (request.state === "complete" && request.id.endsWith("7"))
    return {
      outcome: "hit",
      reason: "Served from cache.",
      saved_nano_usd: 11_200_000,
      saved_ms: 2_140,
    };
  return {
    outcome: "bypass",
    reason: "Not repeatable (temperature is not 0).",
    saved_nano_usd: null,
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
    cost_nano_usd: request.cost_nano_usd,
    cost_basis: request.cost_basis,
    invoice: invoiceOf(request),
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
    cost_nano_usd: 0,
    cost_basis: "not_billed",
    invoice: NO_INVOICE,
  };
  return [first, last];
}

function failureOf(request: RequestView): FailureCauseView | null {
  if (request.state === "complete" || request.state === "running") return null;
  if (request.state === "cancelled")
    return {
      class: null,
      cause: "The client disconnected before the answer ended.",
      next_step: "Raise the client's timeout if it gave up too early.",
    };
  const cause = `${request.backend}: ${request.error ?? ""}`;
  if (request.state === "partial")
    return {
      class: null,
      cause,
      next_step: "Send it again. If it happens often, raise the stall timeout in Settings.",
    };
  return request.http_status === 401
    ? { class: "key-rejected", cause, next_step: "Replace the key under Keys." }
    : {
        class: "connect",
        cause,
        next_step: "Start the server, or check the backend's address and your network.",
      };
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
        return { entries, sentence: `${entries.toLocaleString("en-US")} responses purged.` };
      }),
    requestPath: (req) =>
      answer(() => {
        const request =
          world.requests.find((known) => known.id === req.id) ??
          raise(fault("not_found", `There is no request ${req.id}.`, "It may have been deleted."));
        return {
          request,
          failure: failureOf(request),
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
                    reason: "It does not support tools.",
                  },
                ]
              : [],
          cache: pathCache(request),
        };
      }),
  };
}
