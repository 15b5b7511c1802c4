/** Routes of the fake data, and the decisions of the fake core. */
import type {
  AvailabilityView,
  BackendView,
  ExcludedCandidateView,
  HypotheticalRequest,
  RankedCandidateView,
  RouteDecisionView,
  RouteEdit,
  CandidateShareView,
  RoutesView,
  RouteView,
} from "@/ipc/bindings";
import { accessViews } from "@/ipc/fake/accesses";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise, requireId } from "@/ipc/fake/rules";
import { switchedTo } from "@/ipc/fake/views";
import type { World } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";
import { DAY_MS } from "@/lib/time";

/** Percent of the day's requests by the route's position. */
const SHARES = [44, 21, 9, 6];
const WEIGHTS = { latency: 50, cost: 30, headroom: 20 };

const NO_BACKEND: AvailabilityView = {
  credential: null,
  state: "removed",
  percent: null,
  why: "This backend no longer exists.",
  since: null,
  until: null,
};

function isUsable({ state }: AvailabilityView): boolean {
  return state === "ready" || state === "recovering";
}

function route(id: string, policy: RouteEdit["policy"], candidates: RouteEdit["candidates"]): RouteEdit {
  return {
    replaces: null,
    id,
    models: [id],
    clients: [],
    projects: [],
    policy,
    weights: WEIGHTS,
    sticky_secs: 600,
    crossing: null,
    cache: null,
    enabled: true,
    candidates,
  };
}

function to(backend: string, model: string | null, weight = 1): RouteEdit["candidates"][number] {
  return { backend, model, weight };
}

/** False if the profile in use leaves out all backends of the route. */
function isInProfile(world: World, candidates: RouteEdit["candidates"]): boolean {
  return candidates.some(({ backend }) => world.backends.find(({ id }) => id === backend)?.in_profile !== false);
}

export function makeRoutes(): RouteEdit[] {
  return [
    route("fast", "ordered", [
      to("groq", "llama-5-70b"),
      to("openai", "gpt-5.2-mini"),
      to("openrouter", "google/gemini-3.5-flash"),
    ]),
    {
      ...route("claude", "balanced", [
        to("openrouter", "anthropic/claude-sonnet-5"),
        to("openai", "gpt-5.2"),
        to("mistral", "mistral-large-4"),
      ]),
      models: ["claude-*", "anthropic/*"],
      crossing: "lenient",
    },
    {
      ...route("mini-test", "split", [to("openai", "gpt-5.2-mini", 70), to("groq", "gpt-oss-120b", 30)]),
      clients: ["zed"],
      sticky_secs: null,
    },
    { ...route("local", "ordered", [to("ollama", "qwen4-coder:30b")]), cache: "on" },
    { ...route("rest", "cheapest", [to("groq", null), to("openrouter", null)]), models: ["*"], enabled: false },
  ];
}

function matches(pattern: string, model: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  return rest.length === 0 ? pattern === model : model.startsWith(head) && model.endsWith(rest.at(-1) ?? "");
}

function routeViews(world: World, now: number): RouteView[] {
  const accesses = accessViews(world, now);
  const day = world.requests.filter((request) => request.started_at > now - DAY_MS);
  return world.routes.map(({ replaces: _replaces, ...set }, place) => {
    const requests = Math.round((day.length * (SHARES[place] ?? 0)) / 100);
    const last = set.candidates.length - 1;
    const candidates = set.candidates.map((candidate, index) => {
      const share = last === 0 ? 100 : index === 0 ? 71 : index === last ? 29 - 8 * (last - 1) : 8;
      const own = accesses.filter((access) => access.backend === candidate.backend).map((one) => one.availability);
      return {
        ...candidate,
        backend_label: world.backends.find((backend) => backend.id === candidate.backend)?.label ?? candidate.backend,
        availability: own[0] ?? NO_BACKEND,
        accesses: own,
        requests: Math.round((requests * share) / 100),
        share_percent: requests === 0 ? null : share,
      };
    });
    const first = candidates.find((candidate) => isUsable(candidate.availability));
    const held = candidates[0] !== first ? candidates[0] : undefined;
    const inProfile = isInProfile(world, set.candidates);
    const broken = set.enabled && inProfile ? whyBroken(world, candidates) : null;
    return {
      ...set,
      candidates,
      broken,
      in_profile: inProfile,
      switched_clients: switchedTo(world, (target) => target.route === set.id),
      sentence: !set.enabled
        ? "Switched off."
        : !inProfile
          ? "Not in use: none of its backends is in the profile in use."
          : broken !== null || first === undefined
            ? `Broken: ${broken}.`
            : held === undefined
              ? `Its requests go to ${first.backend_label}.`
              : `${held.backend_label} is failing, so its requests go to ${first.backend_label}.`,
      requests,
      share_percent: day.length === 0 ? null : Math.round((requests * 100) / day.length),
    };
  });
}

/** Why no candidate of a route can answer; null if one can. */
function whyBroken(world: World, candidates: RouteView["candidates"]): string | null {
  const whys = candidates.map(({ backend, availability }) => {
    if (availability.state === "removed") return "no longer exists";
    if (!isUsable(availability)) return "is failing";
    const health = world.backends.find((known) => known.id === backend)?.health.state;
    return health === "down" ? "is down" : null;
  });
  if (whys.includes(null)) return null;
  const [first] = candidates;
  return candidates.length === 1 && first !== undefined
    ? `its only backend, ${first.backend_label}, ${whys[0]}`
    : `none of its backends can answer: ${candidates.map((one, index) => `${one.backend_label} ${whys[index]}`).join(", ")}`;
}

function sayRoutes(routes: RouteView[]): string {
  if (routes.length === 0) return "No routes yet. Requests go by model name.";
  const used = routes.filter((one) => one.enabled);
  const [broken, ...alsoBroken] = used.filter((one) => one.broken !== null);
  if (broken !== undefined) {
    const names = [broken, ...alsoBroken].map((one) => one.id).join(", ");
    return alsoBroken.length === 0
      ? `${broken.id} is broken: ${broken.broken}.`
      : `${alsoBroken.length + 1} routes are broken: ${names}.`;
  }
  const held = used.filter((one) => one.candidates[0] !== undefined && !isUsable(one.candidates[0].availability));
  const [first, ...more] = held;
  if (first === undefined) return `${used.length} routes use their first backends.`;
  const others = more.length === 0 ? "" : ` ${more.length} more ${more.length === 1 ? "uses" : "use"} another backend.`;
  return `${first.id}: ${first.sentence}${others}`;
}

function lacks(backend: BackendView, ask: HypotheticalRequest): string | null {
  if (ask.tools && backend.id === "ollama") return "It does not support tools.";
  if (ask.vision && backend.id === "groq") return "It does not support images.";
  const tokens = ask.input_tokens ?? 0;
  if (tokens > 128_000 && backend.id !== "openrouter")
    return `${tokens.toLocaleString("en-US")} tokens do not fit its 128,000.`;
  return null;
}

function decide(world: World, now: number, ask: HypotheticalRequest, closed: string[] = []): RouteDecisionView {
  const found = routeViews(world, now)
    .filter((one) => one.enabled)
    .filter((one) => one.clients.length === 0 || (ask.client != null && one.clients.includes(ask.client)))
    .find((one) => one.models.some((pattern) => matches(pattern, ask.model)));
  const named = world.backends.find((backend) => ask.model.startsWith(`${backend.id}/`));
  const wanted =
    found?.candidates ??
    (named === undefined ? [] : [{ backend: named.id, model: ask.model.slice(named.id.length + 1), weight: 1 }]);
  const accesses = accessViews(world, now);
  const passed: ExcludedCandidateView[] = [];
  const choices: (RankedCandidateView & { weight: number })[] = [];
  for (const { backend: id, model, weight } of wanted) {
    const backend = world.backends.find((known) => known.id === id);
    const access = accesses.find((one) => one.backend === id);
    if (backend === undefined || access === undefined) continue;
    const asked = model ?? ask.model;
    const reason = backend.enabled ? lacks(backend, ask) : "It is switched off.";
    if (reason !== null) {
      passed.push({ backend: id, credential: null, model: asked, reason });
      continue;
    }
    const shut = closed.includes(id);
    choices.push({
      place: 0,
      backend: id,
      credential: backend.credential,
      model: asked,
      why: "Last, because it is not ready.",
      weight,
      availability: shut
        ? { ...access.availability, state: "open", why: "It is assumed to be down.", until: null }
        : access.availability,
      parts: found?.policy === "balanced" ? partsOf(choices.length) : [],
    });
  }
  const candidates = [
    ...choices.filter((choice) => isUsable(choice.availability)),
    ...choices.filter((choice) => !isUsable(choice.availability)),
  ].map(({ weight, ...choice }, index) => ({
    ...choice,
    place: index + 1,
    why: isUsable(choice.availability) ? whyThere(found?.policy ?? "ordered", index, weight) : choice.why,
  }));
  const first = candidates[0];
  return {
    route: found?.id ?? null,
    policy: found?.policy ?? "ordered",
    served: first !== undefined,
    sentence:
      first === undefined
        ? passed.length > 0
          ? "No backend can serve it: each lacks what the request needs."
          : `No route matches ${ask.model}, and no backend is named by it.`
        : found === undefined
          ? `${first.backend} serves it, because the name says so.`
          : `${first.backend} serves it with ${first.model}, by the route ${found.id}.`,
    candidates,
    passed_over: passed,
  };
}

function whyThere(policy: RouteView["policy"], place: number, weight: number): string {
  switch (policy) {
    case "ordered":
      return place === 0 ? "The first that is ready." : "Next, should those before it fail.";
    case "balanced":
      return place === 0 ? "The best score for latency, cost and headroom." : "A lower score.";
    case "cheapest":
      return place === 0 ? "$0.0004 for this request, the least." : "$0.0009 for this request.";
    default:
      return `Drawn by weight ${weight}.`;
  }
}

function partsOf(place: number): RankedCandidateView["parts"] {
  const score = place === 0 ? [92, 61, 88] : [55, 78, 70];
  return [
    { name: "latency", measured: place === 0 ? "420 ms" : "910 ms", weight_percent: 50, score_percent: score[0] ?? 0 },
    { name: "cost", measured: place === 0 ? "$0.0114" : "$0.0087", weight_percent: 30, score_percent: score[1] ?? 0 },
    { name: "headroom", measured: place === 0 ? "88 %" : "70 %", weight_percent: 20, score_percent: score[2] ?? 0 },
  ];
}

function checkRoute(world: World, req: RouteEdit): void {
  requireId(req.id, "route");
  if (req.id !== req.replaces && world.routes.some((known) => known.id === req.id))
    throw fault("invalid_input", `There is a route named ${req.id} already.`, "Choose another name.", "id");
  if (req.candidates.length === 0) throw fault("invalid_input", "Add at least one backend.", null, "candidates");
  for (const { backend } of req.candidates)
    if (!world.backends.some((known) => known.id === backend))
      throw fault("invalid_input", `There is no backend named ${backend}.`, "Choose another.", "candidates");
  const { latency, cost, headroom } = req.weights;
  if (req.policy === "balanced" && latency + cost + headroom !== 100)
    throw fault(
      "invalid_input",
      `The weights add up to ${latency + cost + headroom} %.`,
      "Make them add up to 100 %.",
      "weights",
    );
}

type Operations = "routes" | "routeSet" | "routeRemove" | "routesOrder" | "routeExplain" | "routeSimulate";

export function fakeRoutes({ world, now, answer, changed }: Doing): Pick<Host, Operations> {
  const read = (): RoutesView => {
    const routes = routeViews(world, now());
    const day = world.requests.filter((request) => request.started_at > now() - DAY_MS).length;
    const led = routes.reduce((sum, one) => sum + one.requests, 0);
    return { sentence: sayRoutes(routes), routes, unrouted_requests: Math.max(day - led, 0) };
  };
  const viewOf = (id: string) =>
    read().routes.find((one) => one.id === id) ?? raise(fault("not_found", `There is no route named ${id}.`, null));
  return {
    routes: () => answer(read),
    routeSet: (req) =>
      answer(() => {
        const set = { ...req, models: req.models.length === 0 ? [req.id] : req.models };
        checkRoute(world, set);
        const place = world.routes.findIndex((known) => known.id === req.replaces);
        if (place === -1) world.routes.push(set);
        else world.routes[place] = set;
        changed("routes", "settings");
        return viewOf(req.id);
      }),
    routeRemove: (req) =>
      answer(() => {
        viewOf(req.id);
        for (const id of switchedTo(world, ({ route: to }) => to === req.id)) world.switched.delete(id);
        world.routes = world.routes.filter((known) => known.id !== req.id);
        changed("routes", "settings");
        return null;
      }),
    routesOrder: (req) =>
      answer(() => {
        world.routes = req.ids.flatMap((id) => world.routes.find((known) => known.id === id) ?? []);
        changed("routes", "settings");
        return read();
      }),
    routeExplain: (req) => answer(() => decide(world, now(), req)),
    routeSimulate: (req) =>
      answer(() => {
        const decision = decide(world, now(), req.ask, req.closed);
        const ready = decision.candidates.filter((one) => isUsable(one.availability));
        const isByChance = decision.policy === "split" || decision.policy === "weighted";
        const weights = [70, 30, 10];
        const sum = ready.reduce((total, _, index) => total + (weights[index] ?? 1), 0);
        const shares: CandidateShareView[] = decision.candidates.map((one) => {
          const place = ready.indexOf(one);
          const exact = place === -1 ? 0 : isByChance ? ((weights[place] ?? 1) * 100) / sum : place === 0 ? 100 : 0;
          const percent = isByChance && exact > 0 ? Math.round(exact * 10 + (place === 0 ? 8 : -8)) / 10 : exact;
          return {
            backend: one.backend,
            model: one.model,
            draws: Math.round((req.draws * percent) / 100),
            percent,
            expected_percent: isByChance ? exact : null,
          };
        });
        const failures = ready.length === 0 ? req.draws : 0;
        const first = shares.toSorted((left, right) => right.draws - left.draws)[0];
        return {
          sentence:
            failures > 0
              ? `None of ${req.draws.toLocaleString("en-US")} requests would be served.`
              : `${first?.backend} would serve ${Math.round(first?.percent ?? 0)} % of ${req.draws.toLocaleString("en-US")} requests.`,
          draws: req.draws,
          shares,
          failures,
          failure: failures > 0 ? "No backend is available." : null,
        };
      }),
  };
}
