/**
 * Maps addresses to screens. The location is in the fragment, because the same files are served under tauri:// and
 * under loopback http. Features get their location as properties and do not use the router.
 */
import { createRoute, createRouter, useNavigate, type RouterHistory } from "@tanstack/react-router";
import { createFragmentHistory } from "@/app/fragment-history";
import {
  BackendsScreen,
  ClientsScreen,
  KeysScreen,
  OverviewScreen,
  PlaygroundScreen,
  ReadinessScreen,
  RequestsScreen,
  RoutingScreen,
  SettingsScreen,
} from "@/app/lazy-screens";
import { isSet, parseAdd, root, type AddSearch } from "@/app/root-route";
import { alertRoutes } from "@/app/alert-routes";
import { healthRoutes } from "@/app/health-routes";
import { usageRoutes } from "@/app/usage-routes";
import { parseRequestsPlace, type RequestsPlace } from "@/features/requests/requests-place";

interface KeysSearch extends AddSearch {
  /** Keys in plain text are looked for. */
  find?: true;
}

function parseKeysSearch(search: Record<string, unknown>): KeysSearch {
  return isSet(search["find"]) ? { find: true } : parseAdd(search);
}

interface BackendsSearch extends AddSearch {
  /** A model of the open backend is asked. */
  ask?: true;
}

function parseBackendsSearch(search: Record<string, unknown>): BackendsSearch {
  return isSet(search["ask"]) ? { ask: true } : parseAdd(search);
}

const overview = createRoute({ getParentRoute: () => root, path: "/", component: OverviewScreen });

/**
 * One route for both, with and without a name, so that the list under a drawer keeps its scroll position, filter and
 * focus.
 */
const backends = createRoute({
  getParentRoute: () => root,
  path: "/backends/{-$id}",
  validateSearch: parseBackendsSearch,
  component: function Backends() {
    const navigate = useNavigate();
    const { add = false, ask = false } = backends.useSearch();
    const { id } = backends.useParams();
    const move = (to: string | undefined, search: BackendsSearch = {}) =>
      void navigate({ to: "/backends/{-$id}", params: { id: to }, search });
    return (
      <BackendsScreen
        openId={id ?? null}
        adding={id === undefined && add}
        asking={id !== undefined && ask}
        onOpen={(next) => move(next)}
        onAsk={(of, asks) => move(of, asks ? { ask: true } : {})}
        onAdd={() => move(undefined, { add: true })}
        onClose={() => move(undefined)}
      />
    );
  },
});

const routing = createRoute({
  getParentRoute: () => root,
  path: "/routing/{-$id}",
  validateSearch: parseAdd,
  component: function Routing() {
    const navigate = useNavigate();
    const { id } = routing.useParams();
    const { add = false } = routing.useSearch();
    const move = (to: string | undefined, search: AddSearch = {}) =>
      void navigate({ to: "/routing/{-$id}", params: { id: to }, search });
    return (
      <RoutingScreen
        openId={id ?? null}
        adding={id === undefined && add}
        onOpen={(next) => move(next)}
        onAdd={() => move(undefined, { add: true })}
        onClose={() => move(undefined)}
      />
    );
  },
});

const keys = createRoute({
  getParentRoute: () => root,
  path: "/keys/{-$id}",
  validateSearch: parseKeysSearch,
  component: function Keys() {
    const navigate = useNavigate();
    const { id } = keys.useParams();
    const { add = false, find = false } = keys.useSearch();
    const move = (to: string | undefined, search: KeysSearch = {}) =>
      void navigate({ to: "/keys/{-$id}", params: { id: to }, search });
    return (
      <KeysScreen
        openId={id ?? null}
        adding={id === undefined && add}
        finding={id === undefined && find}
        onOpen={(next) => move(next)}
        onAdd={() => move(undefined, { add: true })}
        onFind={() => move(undefined, { find: true })}
        onClose={() => move(undefined)}
      />
    );
  },
});

interface ClientsSearch extends AddSearch {
  /** The tool that is to be connected or disconnected; `all` disconnects every one. */
  connect?: string;
  disconnect?: string;
  /** The tool that is to be started. */
  launch?: string;
}

const ALL_TOOLS = "all";

function parseClientsSearch(search: Record<string, unknown>): ClientsSearch {
  if (typeof search["connect"] === "string") return { connect: search["connect"] };
  if (typeof search["disconnect"] === "string") return { disconnect: search["disconnect"] };
  if (typeof search["launch"] === "string") return { launch: search["launch"] };
  return parseAdd(search);
}

/** What the address asks for a tool. */
function toolChange({ connect, disconnect, launch }: ClientsSearch) {
  if (connect !== undefined) return { kind: "connect" as const, tool: connect };
  if (launch !== undefined) return { kind: "launch" as const, tool: launch };
  return disconnect === undefined || disconnect === ALL_TOOLS
    ? null
    : { kind: "disconnect" as const, tool: disconnect };
}

const clients = createRoute({
  getParentRoute: () => root,
  path: "/clients/{-$id}",
  validateSearch: parseClientsSearch,
  component: function Clients() {
    const navigate = useNavigate();
    const { id } = clients.useParams();
    const search = clients.useSearch();
    const move = (to: string | undefined, next: ClientsSearch = {}) =>
      void navigate({ to: "/clients/{-$id}", params: { id: to }, search: next });
    return (
      <ClientsScreen
        openId={id ?? null}
        adding={id === undefined && search.add === true}
        change={id === undefined ? toolChange(search) : null}
        disconnectingAll={id === undefined && search.disconnect === ALL_TOOLS}
        onOpen={(next) => move(next)}
        onAdd={() => move(undefined, { add: true })}
        onChange={({ kind, tool }) => move(undefined, { [kind]: tool })}
        onDisconnectAll={() => move(undefined, { disconnect: ALL_TOOLS })}
        onClose={() => move(undefined)}
      />
    );
  },
});

const requests = createRoute({
  getParentRoute: () => root,
  path: "/requests",
  validateSearch: parseRequestsPlace,
  component: function Requests() {
    const navigate = useNavigate();
    return (
      <RequestsScreen
        place={requests.useSearch()}
        onMove={(next: RequestsPlace) => void navigate({ to: "/requests", search: next, replace: true })}
      />
    );
  },
});

const readiness = createRoute({ getParentRoute: () => root, path: "/readiness", component: ReadinessScreen });
const playground = createRoute({
  getParentRoute: () => root,
  path: "/playground",
  validateSearch: (search: Record<string, unknown>): { model?: string } =>
    typeof search["model"] === "string" ? { model: search["model"] } : {},
  component: function Playground() {
    return <PlaygroundScreen model={playground.useSearch().model ?? null} />;
  },
});
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  validateSearch: (search: Record<string, unknown>): { part?: string } =>
    typeof search["part"] === "string" ? { part: search["part"] } : {},
  component: function Settings() {
    return <SettingsScreen part={settings.useSearch().part ?? null} />;
  },
});

const routeTree = root.addChildren([
  overview,
  backends,
  routing,
  keys,
  clients,
  usageRoutes,
  ...alertRoutes,
  requests,
  readiness,
  ...healthRoutes,
  playground,
  settings,
]);

export function createPanelRouter(history: RouterHistory = createFragmentHistory()) {
  return createRouter({ routeTree, history, defaultPreload: false });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createPanelRouter>;
  }
}
