/**
 * Addresses and what they show. Places live in the fragment, because the same files are served under tauri:// and under
 * loopback http. Features get their place as properties and know no router.
 */
import {
  createRootRoute,
  createRoute,
  createRouter,
  Navigate,
  useNavigate,
  type RouterHistory,
} from "@tanstack/react-router";
import { createFragmentHistory } from "@/app/fragment-history";
import { Shell } from "@/app/shell";
import { BackendsScreen } from "@/features/backends/backends-screen";
import { KeysScreen } from "@/features/keys/keys-screen";
import { OverviewScreen } from "@/features/overview/overview-screen";
import { ReadinessScreen } from "@/features/readiness/readiness-screen";
import { SettingsScreen } from "@/features/settings/settings-screen";
import { parseUsagePlace, type UsagePlace } from "@/features/usage/usage-place";
import { UsageScreen } from "@/features/usage/usage-screen";

interface AddSearch {
  add?: true;
}

function parseAdd(search: Record<string, unknown>): AddSearch {
  return search["add"] === true || search["add"] === "true" ? { add: true } : {};
}

const root = createRootRoute({ component: Shell, notFoundComponent: () => <Navigate to="/" replace /> });

const overview = createRoute({ getParentRoute: () => root, path: "/", component: OverviewScreen });

const backends = createRoute({
  getParentRoute: () => root,
  path: "/backends",
  validateSearch: parseAdd,
  component: function Backends() {
    const { add = false } = backends.useSearch();
    return <BackendsPlace openId={null} adding={add} />;
  },
});

const backend = createRoute({
  getParentRoute: () => root,
  path: "/backends/$id",
  component: function Backend() {
    return <BackendsPlace openId={backend.useParams().id} adding={false} />;
  },
});

function BackendsPlace({ openId, adding }: { openId: string | null; adding: boolean }) {
  const navigate = useNavigate();
  return (
    <BackendsScreen
      openId={openId}
      adding={adding}
      onOpen={(id) => void navigate({ to: "/backends/$id", params: { id } })}
      onAdd={() => void navigate({ to: "/backends", search: { add: true } })}
      onClose={() => void navigate({ to: "/backends", search: {} })}
    />
  );
}

const keys = createRoute({
  getParentRoute: () => root,
  path: "/keys",
  validateSearch: parseAdd,
  component: function Keys() {
    const { add = false } = keys.useSearch();
    return <KeysPlace tab="keys" openId={null} adding={add} />;
  },
});

const key = createRoute({
  getParentRoute: () => root,
  path: "/keys/$id",
  component: function Key() {
    return <KeysPlace tab="keys" openId={key.useParams().id} adding={false} />;
  },
});

const clients = createRoute({
  getParentRoute: () => root,
  path: "/clients",
  validateSearch: parseAdd,
  component: function Clients() {
    const { add = false } = clients.useSearch();
    return <KeysPlace tab="clients" openId={null} adding={add} />;
  },
});

const client = createRoute({
  getParentRoute: () => root,
  path: "/clients/$id",
  component: function Client() {
    return <KeysPlace tab="clients" openId={client.useParams().id} adding={false} />;
  },
});

function KeysPlace({ tab, openId, adding }: { tab: "keys" | "clients"; openId: string | null; adding: boolean }) {
  const navigate = useNavigate();
  return (
    <KeysScreen
      tab={tab}
      openId={openId}
      adding={adding}
      onTab={(next) => void navigate({ to: next === "keys" ? "/keys" : "/clients", search: {} })}
      onOpen={(id) => void navigate({ to: tab === "keys" ? "/keys/$id" : "/clients/$id", params: { id } })}
      onAdd={() => void navigate({ to: tab === "keys" ? "/keys" : "/clients", search: { add: true } })}
      onClose={() => void navigate({ to: tab === "keys" ? "/keys" : "/clients", search: {} })}
    />
  );
}

const usage = createRoute({
  getParentRoute: () => root,
  path: "/usage",
  validateSearch: parseUsagePlace,
  component: function Usage() {
    const navigate = useNavigate();
    const place = usage.useSearch();
    return (
      <UsageScreen
        place={place}
        onMove={(next: UsagePlace) => void navigate({ to: "/usage", search: next, replace: true })}
      />
    );
  },
});

const readiness = createRoute({ getParentRoute: () => root, path: "/readiness", component: ReadinessScreen });
const settings = createRoute({ getParentRoute: () => root, path: "/settings", component: SettingsScreen });

const routeTree = root.addChildren([
  overview,
  backends,
  backend,
  keys,
  key,
  clients,
  client,
  usage,
  readiness,
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
