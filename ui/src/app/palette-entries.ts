/** Everything the palette can find or run, and how a query ranks it. */
import { matchSorter, rankings } from "match-sorter";
import {
  Activity,
  Ban,
  Bell,
  Box,
  Cable,
  CircleCheck,
  Copy,
  HeartPulse,
  Keyboard,
  KeyRound,
  Layers,
  Link2,
  ListChecks,
  LogOut,
  MessageCircleQuestion,
  Moon,
  Pause,
  Plug,
  Play,
  Plus,
  Power,
  Route,
  ScrollText,
  SearchCheck,
  Server,
  Shuffle,
  SlidersHorizontal,
  Sun,
  SunMoon,
  Unplug,
  Wallet,
  type LucideIcon,
} from "lucide-react";
import { SCREENS } from "@/app/screens";
import { SECTIONS } from "@/features/settings/setting-fields";
import { SETTINGS_PARTS } from "@/features/settings/settings-parts";
import { RUN_CHECKS } from "@/lib/action";
import { HEALTH_PARTS } from "@/lib/health-parts";
import { pathWith, requestsPath } from "@/lib/request-filter";
import { USAGE_PARTS } from "@/lib/usage-parts";
import type {
  AlertView,
  BackendView,
  BudgetView,
  ClientTargetView,
  ClientView,
  GatewayState,
  KeyView,
  ProfilesView,
  RequestView,
  RouteView,
  ServiceView,
  ToolWiringView,
  SettingsValues,
} from "@/ipc/bindings";

const FOUND_MAX = 40;
const RECENT_MAX = 5;
const RECENT_STORED_UNDER = "gatehouse.palette.recent";

export type PaletteTarget =
  | { kind: "go"; path: string }
  | { kind: "checks"; set: "quick" | "full" }
  | { kind: "theme"; theme: SettingsValues["theme"] }
  | { kind: "copy_address" }
  | { kind: "shortcuts" }
  | { kind: "switch"; backend: BackendView }
  | { kind: "client_target"; client: ClientView; to: ClientTargetView }
  | { kind: "client_block"; id: string; blocked: boolean }
  | { kind: "profile"; name: string | null; before: string | null }
  | { kind: "gateway"; paused: boolean }
  | { kind: "run"; run: () => void }
  | { kind: "sign_out" };

export interface PaletteEntry {
  /** Stable between openings. */
  id: string;
  group:
    | "Screen"
    | "Action"
    | "Backend"
    | "Model"
    | "Route"
    | "Key"
    | "Client"
    | "Budget"
    | "Alert"
    | "Service"
    | "Request"
    | "Setting";
  label: string;
  /** Additional search terms. */
  keywords: string[];
  icon: LucideIcon;
  target: PaletteTarget;
  /** Shown beside it instead of its group. */
  note?: string;
  /** `Backend:groq`: the thing that it acts on. */
  about?: string;
  /** Why it cannot be chosen now. */
  blocked?: string | null;
  danger?: boolean;
}

interface World {
  backends: BackendView[];
  routes: RouteView[];
  keys: KeyView[];
  clients: ClientView[];
  tools: ToolWiringView[];
  budgets: BudgetView[];
  alerts: AlertView[];
  services: ServiceView[];
  profiles: ProfilesView | undefined;
  gateway: GatewayState | undefined;
  hasSession: boolean;
}

function action(id: string, icon: LucideIcon, label: string, keywords: string[], target: PaletteTarget): PaletteEntry {
  return { id: `action:${id}`, group: "Action", label, keywords, icon, target };
}

const go = (path: string): PaletteTarget => ({ kind: "go", path });

const ACTIONS: PaletteEntry[] = [
  action("quick", ListChecks, RUN_CHECKS.quick, ["readiness", "doctor"], { kind: "checks", set: "quick" }),
  action("full", ListChecks, RUN_CHECKS.full, ["readiness", "doctor"], { kind: "checks", set: "full" }),
  action("add-backend", Plus, "Add backend", ["provider", "new"], go("/backends?add=true")),
  action("add-route", Plus, "Add route", ["new"], go("/routing?add=true")),
  action("add-key", Plus, "Add key", ["api key", "secret", "new"], go("/keys?add=true")),
  action("find-keys", SearchCheck, "Find keys in plain text", ["import", "env", "scan"], go("/keys?find=true")),
  action("connect", Cable, "Connect a client", ["tool", "claude code", "codex", "wire", "client"], go("/clients")),
  action("disconnect-all", Unplug, "Disconnect all tools", ["release", "unwire"], go("/clients?disconnect=all")),
  action("add-client", Plus, "Add client", ["token", "tool", "new"], go("/clients?add=true")),
  action("add-budget", Plus, "Add budget", ["limit", "spending", "new"], go("/budgets?add=true")),
  action("address", Copy, "Copy gateway address", ["url", "base url", "endpoint"], { kind: "copy_address" }),
  action("dark", Moon, "Dark theme", ["dark mode", "colors"], { kind: "theme", theme: "dark" }),
  action("light", Sun, "Light theme", ["light mode", "colors"], { kind: "theme", theme: "light" }),
  action("system", SunMoon, "System theme", ["mode", "colors", "desktop"], { kind: "theme", theme: "system" }),
  action("shortcuts", Keyboard, "Keyboard shortcuts", ["help", "keys"], { kind: "shortcuts" }),
];

const SIGN_OUT = action("sign-out", LogOut, "Sign out", ["log out", "session"], { kind: "sign_out" });

const SCREEN_ENTRIES: PaletteEntry[] = SCREENS.map((screen) => ({
  id: `screen:${screen.path}`,
  group: "Screen",
  label: screen.label,
  keywords: [],
  icon: screen.icon,
  target: go(screen.path),
}));

/** Found by name; the screen itself stands for them while nothing is typed. */
const USAGE_ENTRIES: PaletteEntry[] = USAGE_PARTS.slice(1).map(({ part, label, path }) => ({
  id: `screen:${part}`,
  group: "Screen",
  label: `Usage: ${label.toLowerCase()}`,
  keywords: [label],
  icon: Activity,
  target: go(path),
}));

const HEALTH_ENTRIES: PaletteEntry[] = HEALTH_PARTS.slice(1).map(({ part, label, path }) => ({
  id: `screen:health/${part}`,
  group: "Screen",
  label: `Health: ${label.toLowerCase()}`,
  keywords: [label],
  icon: HeartPulse,
  target: go(path),
}));

const SETTING_ENTRIES: PaletteEntry[] = [
  ...SECTIONS.flatMap(({ title, settings }) =>
    settings.map(({ label, key }) => ({ part: title, label, words: [key] })),
  ),
  ...SETTINGS_PARTS.map(({ title, words }) => ({ part: title, label: title, words: words.split(" ") })),
].map(({ part, label, words }) => ({
  id: `setting:${part}/${label}`,
  group: "Setting",
  label,
  keywords: [part, "settings", ...words],
  icon: SlidersHorizontal,
  target: go(`/settings?part=${encodeURIComponent(part)}`),
}));

/** Shown while the query is empty. */
export function baseEntries(hasSession: boolean): PaletteEntry[] {
  return [...SCREEN_ENTRIES, ...ACTIONS, ...(hasSession ? [SIGN_OUT] : [])];
}

/** One for each profile that is not in use, and one for none. */
function profileEntries(profiles: ProfilesView | undefined): PaletteEntry[] {
  if (profiles === undefined) return [];
  const { active: before } = profiles;
  const words = ["profile", "switch"];
  const named = profiles.profiles
    .filter(({ active }) => !active)
    .map(({ name }) =>
      action(`profile:${name}`, Layers, `Use profile ${name}`, words, { kind: "profile", name, before }),
    );
  const none = action("profile", Layers, "Use no profile", [...words, "all backends"], {
    kind: "profile",
    name: null,
    before,
  });
  return before === null ? named : [...named, none];
}

/** The switch, and a question to one of its models. */
function backendEntries(backend: BackendView): PaletteEntry[] {
  const { id, label, enabled } = backend;
  const toggle = action(
    `switch:${id}`,
    Power,
    `${enabled ? "Disable" : "Enable"} ${label}`,
    [id, enabled ? "switch off" : "switch on"],
    { kind: "switch", backend },
  );
  const ask = action(
    `ask:${id}`,
    MessageCircleQuestion,
    `Ask a model of ${label}…`,
    [id, "probe", "check", "test"],
    go(pathWith(`/backends/${encodeURIComponent(id)}`, { ask: "true" })),
  );
  return [toggle, ask].map((entry) => ({ ...entry, about: `Backend:${id}` }));
}

/** Only where one knows whether it is paused. */
function gatewayEntries(state: GatewayState | undefined): PaletteEntry[] {
  const words = ["stop", "maintenance", "503"];
  if (state === "listening")
    return [action("gateway", Pause, "Pause gateway", words, { kind: "gateway", paused: true })];
  return state === "paused"
    ? [action("gateway", Play, "Resume gateway", words, { kind: "gateway", paused: false })]
    : [];
}

/** A switch to each target that is not in use, and the block. */
function clientEntries(client: ClientView): PaletteEntry[] {
  const { id, blocked, targets } = client;
  const places = targets
    .filter(({ current }) => !current)
    .map((to) =>
      action(
        `client:${id}:${to.backend ?? ""}:${to.route ?? ""}`,
        Shuffle,
        `Switch ${id} to ${to.backend === null ? lowerFirst(to.label) : to.label}`,
        ["client", to.backend ?? to.route ?? "reset"],
        { kind: "client_target", client, to },
      ),
    );
  const block = action(
    `block:${id}`,
    blocked ? CircleCheck : Ban,
    `${blocked ? "Allow" : "Block"} ${id}`,
    ["client", blocked ? "unblock" : "kill switch"],
    { kind: "client_block", id, blocked: !blocked },
  );
  return [...places, block].map((entry) => ({ ...entry, about: `Client:${id}` }));
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

/** The start of every request's id, and a whole one. */
const REQUEST_ID_START = /^req_[0-9a-f]*$/;
const REQUEST_ID = /^req_[0-9a-f]{32}$/;

const typedId = (query: string) => query.trim().toLowerCase();

export function isRequestId(query: string): boolean {
  return REQUEST_ID_START.test(typedId(query));
}

/** The requests whose id begins with the query: among the latest ones, or any by its whole id. */
export function requestEntries(query: string, latest: readonly RequestView[]): PaletteEntry[] {
  const typed = typedId(query);
  if (!isRequestId(query)) return [];
  const known = latest.filter(({ id }) => id.startsWith(typed)).map(({ id }) => id);
  const ids = known.length === 0 && REQUEST_ID.test(typed) ? [typed] : known;
  return ids.slice(0, FOUND_MAX).map((id) => ({
    id: `Request:${id}`,
    group: "Request",
    label: id,
    keywords: [],
    icon: ScrollText,
    target: go(requestsPath({ request: id })),
  }));
}

function alertEntry({ number, rule, title, path, scopes }: AlertView): PaletteEntry {
  return {
    id: `Alert:${rule}/${scopes.join(",")}`,
    group: "Alert",
    label: title,
    keywords: ["alert", "incident", rule, ...scopes],
    icon: Bell,
    target: go(number === null ? path : `/alerts/${number}`),
  };
}

export function allEntries(world: World): PaletteEntry[] {
  const { backends, routes, keys, clients, tools, budgets, alerts, services, profiles, gateway, hasSession } = world;
  const place = (group: PaletteEntry["group"], icon: LucideIcon, path: string, id: string, label: string) => ({
    id: `${group}:${id}`,
    group,
    label,
    keywords: [id, group],
    icon,
    target: go(`${path}/${encodeURIComponent(id)}`),
  });
  return [
    ...baseEntries(hasSession),
    ...USAGE_ENTRIES,
    ...HEALTH_ENTRIES,
    ...backends.map(({ id, label }) => place("Backend", Server, "/backends", id, label)),
    ...backends.flatMap(backendEntries),
    ...tools
      .filter(({ run_command }) => run_command !== null)
      .map(({ tool, name }) =>
        action(
          `launch:${tool}`,
          Play,
          `Launch ${name}…`,
          [tool, "run", "start", "terminal"],
          go(pathWith("/clients", { launch: tool })),
        ),
      ),
    ...gatewayEntries(gateway),
    ...profileEntries(profiles),
    ...routes.map(({ id, models }) => {
      const entry = place("Route", Route, "/routing", id, id);
      return { ...entry, keywords: [...entry.keywords, ...models] };
    }),
    ...keys.map(({ id, label }) => place("Key", KeyRound, "/keys", id, label)),
    ...clients.map(({ id }) => place("Client", Link2, "/clients", id, id)),
    ...clients.flatMap(clientEntries),
    ...budgets.map(({ id }) => ({
      ...place("Budget", Wallet, "/budgets", id, id),
      target: go(pathWith("/budgets", { budget: id })),
    })),
    ...alerts.map(alertEntry),
    ...services.map(({ id, label }) => ({ ...place("Service", Plug, "/health", id, label), target: go("/health") })),
    ...backends.flatMap(({ id, label, models }) =>
      models.map((model): PaletteEntry => ({
        id: `model:${id}/${model.id}`,
        group: "Model",
        label: `${id}/${model.id}`,
        keywords: [model.id, label],
        icon: Box,
        target: go(`/backends/${encodeURIComponent(id)}`),
      })),
    ),
    ...SETTING_ENTRIES,
  ];
}

/**
 * Matches the whole query first, then every word of it anywhere. Names that begin with the query come first, then names
 * with a word that does, then names that contain it. Scattered letters do not match.
 */
export function findEntries(entries: PaletteEntry[], query: string): PaletteEntry[] {
  const options = {
    keys: ["label", { key: "keywords", maxRanking: rankings.WORD_STARTS_WITH }],
    threshold: rankings.CONTAINS,
    // Equal ranks keep the order of the groups.
    baseSort: (a: { index: number }, b: { index: number }) => a.index - b.index,
  };
  const words = query.trim().split(/\s+/);
  const whole = matchSorter(entries, words.join(" "), options);
  const each = words.reduceRight((left, word) => matchSorter(left, word, options), entries);
  return [...new Set([...whole, ...each])].slice(0, FOUND_MAX);
}

function storedRecent(): string[] {
  const stored: unknown = JSON.parse(localStorage.getItem(RECENT_STORED_UNDER) ?? "[]");
  return Array.isArray(stored) ? stored.filter((id) => typeof id === "string") : [];
}

/** The recently chosen entries, newest first, that still exist. */
export function recentEntries(entries: PaletteEntry[]): PaletteEntry[] {
  return storedRecent().flatMap((id) => entries.find((entry) => entry.id === id) ?? []);
}

/** What acts on a thing that is shown is at hand while it is. */
export function rememberEntry({ id, target }: PaletteEntry): void {
  if (target.kind === "run") return;
  const ids = [id, ...storedRecent().filter((other) => other !== id)].slice(0, RECENT_MAX);
  localStorage.setItem(RECENT_STORED_UNDER, JSON.stringify(ids));
}
