/** Asks models of the fake backends: the price from their lists, the answer after the backend's usual delay. */
import type { AskedModelView, BackendAnswerView, BackendView, FailureCauseView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { failureOf, paceOf } from "@/ipc/fake/playground";
import { fault } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";
import { formatDuration } from "@/lib/quantity";

const PROMPT = "Reply with the word OK.";
const INPUT_TOKENS_MAX = 64;
const OUTPUT_TOKENS_MAX = 256;
const TOKENS_PER_PRICE = 1_000_000;
const NANOS = 1_000_000_000;
const WRITING_MS = 180;

interface BackendAskParts extends Doing {
  later: (ms: number, run: () => void) => void;
  backend: (id: string) => BackendView;
}

type BackendAskHost = Pick<Host, "backendAskPrice" | "backendAsk" | "backendAskCancel">;

export function fakeBackendAsk({ world, answer, later, changed, backend }: BackendAskParts): BackendAskHost {
  /** The answers that are waited for, by backend. */
  const asked = new Map<string, (answer: BackendAnswerView) => void>();
  let made = 0;
  return {
    backendAskPrice: ({ id, model }) =>
      answer(() => {
        const of = backend(id);
        const routed = new Set(
          world.routes.flatMap(({ candidates }) =>
            candidates.filter((one) => one.backend === id).map((one) => one.model ?? ""),
          ),
        );
        const listed = of.models.map((known) => askedModel(of, known.id, routed.has(known.id)));
        const ranked = listed.toSorted((a, b) => rankOf(a) - rankOf(b));
        return {
          backend: id,
          label: of.label,
          prompt: PROMPT,
          output_tokens_max: OUTPUT_TOKENS_MAX,
          time_limit_secs: 120,
          models: model === null ? ranked : [askedModel(of, model, false), ...ranked],
        };
      }),
    backendAsk: async ({ id, model }) => {
      await answer(() => {
        if (!backend(id).enabled)
          throw fault(
            "invalid_input",
            `the backend ${id} is switched off, so it gets no requests`,
            "Switch it on first.",
            "id",
          );
        if (asked.has(id))
          throw fault("failed", "this backend is being asked already; wait for its answer, or cancel it", null);
      });
      made += 1;
      const request = `req_${(0x3a1100 + made).toString(16)}`;
      const name = `${id}/${model}`;
      const { first_ms } = paceOf(name);
      return new Promise((resolve) => {
        const end = (result: BackendAnswerView) => {
          asked.delete(id);
          changed("backends", "usage", "status");
          resolve(result);
        };
        asked.set(id, end);
        later(first_ms + WRITING_MS, () => {
          if (asked.get(id) !== end) return;
          const failure = failureOf(world, name);
          if (failure === null) end(answered(backend(id), model, first_ms, request));
          else end(failed(id, model, failure.error?.message ?? "It failed.", request));
        });
      });
    },
    backendAskCancel: ({ id }) =>
      answer(() => {
        asked.get(id)?.(stopped(id));
        return null;
      }),
  };
}

/** Most that a request costs, rounded up as the core does. */
function askedModel(of: BackendView, id: string, inRoutes: boolean): AskedModelView {
  const price = of.models.find((model) => model.id === id)?.price;
  const cost = of.id === "mock" ? 0 : costOf(price, INPUT_TOKENS_MAX, OUTPUT_TOKENS_MAX);
  return { id, in_routes: inRoutes, cost_nano_usd_max: cost, price: sayPrice(cost) };
}

function costOf(price: BackendView["models"][number]["price"] | undefined, input: number, output: number) {
  if (!price) return null;
  const total = input * (price.input_nano_usd ?? 0) + output * (price.output_nano_usd ?? 0);
  return Math.round(total / TOKENS_PER_PRICE);
}

function sayPrice(cost: number | null): string {
  if (cost === null) return "Price unknown";
  if (cost === 0) return "Free";
  const digits = cost < NANOS / 100 ? 4 : 2;
  return `At most $${(Math.ceil((cost / NANOS) * 10 ** digits) / 10 ** digits).toFixed(digits)}`;
}

const rankOf = ({ in_routes, cost_nano_usd_max: cost }: AskedModelView) =>
  (in_routes ? 0 : 2 * NANOS) + (cost ?? NANOS);

function answered(of: BackendView, model: string, first: number, request: string): BackendAnswerView {
  const elapsed = first + WRITING_MS;
  const price = of.models.find(({ id }) => id === model)?.price;
  const cost = of.id === "mock" ? 0 : costOf(price, 14, 2);

  return {
    backend: of.id,
    model,
    outcome: "answered",
    finding: `${model} answered in ${formatDuration(elapsed)}, first token ${formatDuration(first)}.`,
    text: "OK",
    first_token_ms: first,
    elapsed_ms: elapsed,
    input_tokens: 14,
    output_tokens: 2,
    cost_nano_usd: cost,
    cost_basis: cost === null ? "unpriced" : "computed",
    failure: null,
    request,
  };
}

function unanswered(backend: string, model: string, failure: FailureCauseView): BackendAnswerView {
  return {
    backend,
    model,
    outcome: "failed",
    finding: `${model} did not answer.`,
    text: "",
    first_token_ms: null,
    elapsed_ms: 84,
    input_tokens: null,
    output_tokens: null,
    cost_nano_usd: null,
    cost_basis: null,
    failure,
    request: null,
  };
}

function failed(backend: string, model: string, cause: string, request: string): BackendAnswerView {
  const next_step = "Start the server, or check the backend's address and your network.";
  const answer = unanswered(backend, model, { class: "connect", cause, next_step });
  return { ...answer, cost_nano_usd: 0, cost_basis: "not_billed", request };
}

function stopped(backend: string): BackendAnswerView {
  const failure = { class: null, cause: "It was stopped.", next_step: "Output generated before that may be billed." };
  return { ...unanswered(backend, "", failure), outcome: "cancelled", finding: "Stopped asking." };
}
