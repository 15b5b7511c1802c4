/** The fake core's validation, with texts like the real ones, and the results of its tests and runs. */
import type {
  ApiError,
  BackendAdd,
  BackendTestView,
  BackendView,
  TrafficLimitsView,
  SettingsValues,
  BackendTestStepView,
} from "@/ipc/bindings";
import { MODELS } from "@/ipc/fake/catalogue";
import { newRun, plannedChecks, runAfter } from "@/ipc/fake/checks";
import type { World } from "@/ipc/fake/world";
import { originOf as originOfAddress } from "@/lib/origin";
import { SETTINGS } from "@/lib/form-tables";

const ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export function fault(
  code: ApiError["code"],
  message: string,
  hint: string | null,
  field: string | null = null,
): ApiError {
  return { code, message, hint, field };
}

export function raise(error: ApiError): never {
  throw error;
}

export function requireVault(world: World): void {
  if (world.vault.state !== "ready") throw fault("vault_unavailable", "The keychain is locked.", world.vault.hint);
}

export function requireSecret(secret: string): void {
  if (secret.trim() === "") throw fault("invalid_input", "The key is empty.", "Paste the key.", "secret");
  if (/\s/.test(secret))
    throw fault("invalid_input", "The key contains a space or a line break.", "Copy it again without it.", "secret");
}

export function requireId(id: string, what: string): void {
  if (!ID.test(id))
    throw fault(
      "invalid_input",
      `"${id}" cannot name a ${what}.`,
      "Use lower-case letters, digits, dots, dashes and underscores.",
      "id",
    );
}

export function originOf(address: string, field = "base_url"): string {
  if (!URL.canParse(address))
    throw fault("invalid_input", `"${address}" is not an address.`, "Write it like https://api.example.com/v1.", field);
  const url = new URL(address);
  if (url.protocol !== "https:" && url.hostname !== "127.0.0.1" && url.hostname !== "localhost")
    throw fault(
      "invalid_input",
      "http:// is only allowed for this machine and private addresses.",
      "Use https://.",
      field,
    );
  return originOfAddress(address) ?? address;
}

/** Like the core, refuses a key that is locked to another host. */
export function requireOrigin(world: World, credential: string, origin: string): void {
  const locked = world.keys.find((key) => key.id === credential)?.origin ?? null;
  if (locked !== null && locked !== origin)
    throw fault(
      "invalid_input",
      `The key ${credential} is locked to ${locked} and cannot be sent to ${origin}.`,
      "A key is only sent to its allowed host. Add the key again for this host.",
      "key",
    );
}

export function checkNewBackend(world: World, req: BackendAdd): void {
  requireId(req.id, "backend");
  if (world.backends.some((known) => known.id === req.id))
    throw fault("invalid_input", `There is a backend named ${req.id} already.`, "Choose another name.", "id");
  originOf(req.base_url);
  requireDiffering(req, { lacks: [], offers: [] });
  if (req.key.kind === "new") requireSecret(req.key.secret);
}

type Differing = Pick<BackendView, "lacks" | "offers">;

/** Deviations apply to compatible servers only; for others they must stay unchanged. */
export function requireDiffering(req: Differing & Pick<BackendView, "kind">, known: Differing): void {
  if (req.kind === "openai-compatible") return;
  for (const field of ["lacks", "offers"] as const)
    if (req[field].length > 0 && req[field].join() !== known[field].join())
      throw fault(
        "invalid_input",
        `this has no effect on backends of kind ${req.kind}`,
        "Choose the kind openai-compatible, or leave it out.",
        field,
      );
}

export function testOf({ id, health: state, credential }: BackendView): BackendTestView {
  const isDown = state.state === "down";
  const isRejected = isDown && credential !== null;
  const steps: BackendTestStepView[] = [
    {
      title: "Connect",
      state: isDown && !isRejected ? "fail" : "pass",
      detail: isDown && !isRejected ? "Connection refused." : "Name found, TLS 1.3, certificate good for 61 days.",
      fix: isDown && !isRejected ? `Start ${id}, or check its address.` : null,
      duration_ms: 48,
    },
    {
      title: "Accept the key",
      state: isRejected ? "fail" : isDown ? "skipped" : "pass",
      detail: isRejected
        ? "GET /models answered 401: invalid_api_key."
        : isDown
          ? "skipped, because an earlier step failed"
          : credential === null
            ? "no key needed"
            : "GET /models answered 200.",
      fix: isRejected ? "Replace the key." : null,
      duration_ms: isDown && !isRejected ? null : 121,
    },
    {
      title: "List models",
      state: isDown ? "skipped" : "pass",
      detail: isDown ? "skipped, because an earlier step failed" : `${MODELS[id]?.length ?? 1} models.`,
      fix: null,
      duration_ms: isDown ? null : 4,
    },
  ];
  return { id, passed: !isDown, steps };
}

export function finishRun(world: World, now: number): void {
  const planned = plannedChecks(world, "full");
  const last = world.history[0];
  const endedAt = last?.ended_at ?? now;
  const begun = newRun(last?.id ?? "run-1", "full", planned, endedAt - 2_400);
  world.run = runAfter(begun, planned, planned.length, endedAt, world.history[1]?.score_tenths ?? null);
  world.history.shift();
  recordRun(world);
}

export function recordRun(world: World): void {
  const { run } = world;
  if (run === null || run.verdict === null || run.ended_at === null) return;
  world.history.unshift({
    id: run.id,
    set: run.set,
    ended_at: run.ended_at,
    verdict: run.verdict,
    sentence: run.sentence,
    score_tenths: run.score_tenths,
  });
}

/** Rejects a number that the core would reject, naming its field. */
export function requireRanges(values: SettingsValues): void {
  requireServer(values);
  const { open_ms_first: first = 0, open_ms_max: most = 0 } = values.resilience.custom;
  if (first > most)
    throw fault(
      "invalid_input",
      `open_ms_first is ${first}; it must not be larger than open_ms_max, which is ${most}.`,
      null,
      "open_ms_first",
    );
  for (const { key: field, kind, min, max } of SETTINGS) {
    const value = Number(values[field]);
    if (kind === "number" && (value < min || value > max))
      throw fault("invalid_input", `${value} is outside ${min} to ${max}.`, null, field);
  }
}

function requireServer({ cache_redis_url: url }: SettingsValues): void {
  if (url === null || url === "" || /^(redis|valkey)s?:\/\//.test(url)) return;
  const hint = "Write it like rediss://cache.example.com:6379/0.";
  throw fault("invalid_input", "This is not a valid address.", hint, "cache_redis_url");
}

/** Rejects a limit that would let nothing through. */
export function requireLimits(limits: TrafficLimitsView): void {
  for (const [field, value] of Object.entries(limits))
    if (value !== null && value < 1)
      throw fault("invalid_input", `${value} is outside 1 to 1,000,000.`, "Leave it empty for no limit.", field);
}
