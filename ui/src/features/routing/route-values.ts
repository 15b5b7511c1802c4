/** The form values of a route: text as typed, parsed when it is saved. */
import type {
  ApiError,
  BackendView,
  CacheMode,
  TranslationMode,
  RouteEdit,
  RoutePolicy,
  RouteView,
  ShownHealth,
} from "@/ipc/bindings";
import { textOrNull } from "@/lib/text";

export interface CandidateValues {
  backend: string;
  model: string;
  weight: string;
}

export const WEIGHT_NAMES = ["latency", "cost", "headroom"] as const;

export interface RouteValues {
  id: string;
  models: string;
  clients: string;
  projects: string;
  policy: RoutePolicy;
  weights: Record<(typeof WEIGHT_NAMES)[number], string>;
  sticky_minutes: string;
  crossing: TranslationMode | "";
  cache: CacheMode | "";
  enabled: boolean;
  candidates: CandidateValues[];
}

/** The fields that show their own error. */
export const ROUTE_FIELDS = [
  "id",
  "models",
  "policy",
  "weights",
  "candidates",
  "clients",
  "projects",
  "sticky_secs",
  "crossing",
  "cache",
] as const;

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

export function valuesOf(route: RouteView): RouteValues {
  const { latency, cost, headroom } = route.weights;
  return {
    id: route.id,
    models: route.models.join(", "),
    clients: route.clients.join(", "),
    projects: route.projects.join(", "),
    policy: route.policy,
    weights: { latency: String(latency), cost: String(cost), headroom: String(headroom) },
    sticky_minutes: route.sticky_secs === null ? "" : String(route.sticky_secs / 60),
    crossing: route.crossing ?? "",
    cache: route.cache ?? "",
    enabled: route.enabled,
    candidates: route.candidates.map(({ backend, model, weight }) => ({
      backend,
      model: model ?? "",
      weight: String(weight),
    })),
  };
}

const ANSWERING: ShownHealth[] = ["up", "degraded"];

/** A new route with the first two backends that answer. Uses the mock only if there is no other. */
export function newValues(id: string, backends: BackendView[]): RouteValues {
  const working = backends.filter((backend) => backend.enabled && ANSWERING.includes(backend.health.state));
  const real = working.filter((backend) => !backend.built_in);
  return {
    id,
    models: "",
    clients: "",
    projects: "",
    policy: "ordered",
    weights: { latency: "50", cost: "30", headroom: "20" },
    sticky_minutes: "10",
    crossing: "",
    cache: "",
    enabled: true,
    candidates: (real.length > 0 ? real : working)
      .slice(0, 2)
      .map((backend) => ({ backend: backend.id, model: backend.models[0]?.id ?? "", weight: "1" })),
  };
}

export function readValues(values: RouteValues, replaces: string | null): RouteEdit {
  const minutes = values.sticky_minutes.trim();
  return {
    replaces,
    id: values.id.trim(),
    models: words(values.models),
    clients: words(values.clients),
    projects: words(values.projects),
    policy: values.policy,
    weights: {
      latency: Number(values.weights.latency),
      cost: Number(values.weights.cost),
      headroom: Number(values.weights.headroom),
    },
    sticky_secs: minutes === "" ? null : Math.round(Number(minutes.replace(",", ".")) * 60),
    crossing: values.crossing === "" ? null : values.crossing,
    cache: values.cache === "" ? null : values.cache,
    enabled: values.enabled,
    candidates: values.candidates.map(({ backend, model, weight }) => ({
      backend,
      model: textOrNull(model),
      weight: Number(weight),
    })),
  };
}

function notANumber(field: string): ApiError {
  return { code: "invalid_input", message: "Enter a whole number.", hint: null, field };
}

/** Rejects text that is not a number. The core checks the ranges. */
export function wrongNumber(req: RouteEdit): ApiError | null {
  if (WEIGHT_NAMES.some((name) => !Number.isInteger(req.weights[name]))) return notANumber("weights");
  if (req.candidates.some(({ weight }) => !Number.isInteger(weight) || weight < 0)) return notANumber("candidates");
  if (req.sticky_secs !== null && !(req.sticky_secs >= 0)) return notANumber("sticky_secs");
  return null;
}
