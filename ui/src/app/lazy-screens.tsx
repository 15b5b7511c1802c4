/** The screens, each a script of its own: the first is loaded at the start, the others ahead, one after the other. */
import { isWithin, SCREENS, type Screen } from "@/app/screens";
import { lazyComponent } from "@/components/overlay/lazy";
import { OverviewFrame, OverviewSkeleton } from "@/features/overview/overview-skeleton";
import { whenIdle } from "@/lib/idle";

/** Title and content where a `Page` has them. Not a heading, because it is replaced by one. */
function ScreenSkeleton({ title }: { title: string }) {
  return (
    <div className="flex h-full flex-col gap-4 px-6 pt-5 pb-6">
      <div aria-hidden className="min-h-11 text-18 leading-6 font-semibold tracking-[-0.01em] text-ink-1">
        {title}
      </div>
      <div
        role="status"
        aria-label={`Loading ${title}`}
        className="min-h-0 flex-1 animate-fade-in-late rounded-card border border-line bg-surface-1"
      />
    </div>
  );
}

export const OverviewScreen = lazyComponent(
  async () => (await import("@/features/overview/overview-screen")).OverviewScreen,
  <OverviewFrame>
    <OverviewSkeleton />
  </OverviewFrame>,
);
export const BackendsScreen = lazyComponent(
  async () => (await import("@/features/backends/backends-screen")).BackendsScreen,
  <ScreenSkeleton title="Backends" />,
);
export const RoutingScreen = lazyComponent(
  async () => (await import("@/features/routing/routing-screen")).RoutingScreen,
  <ScreenSkeleton title="Routing" />,
);
export const KeysScreen = lazyComponent(
  async () => (await import("@/features/keys/keys-screen")).KeysScreen,
  <ScreenSkeleton title="Keys" />,
);
export const ClientsScreen = lazyComponent(
  async () => (await import("@/features/clients/clients-screen")).ClientsScreen,
  <ScreenSkeleton title="Clients" />,
);
export const CostsScreen = lazyComponent(
  async () => (await import("@/features/usage/costs/costs-screen")).CostsScreen,
  <ScreenSkeleton title="Usage" />,
);
export const BreakdownScreen = lazyComponent(
  async () => (await import("@/features/usage/breakdown/breakdown-screen")).BreakdownScreen,
  <ScreenSkeleton title="Usage" />,
);
export const SavingsScreen = lazyComponent(
  async () => (await import("@/features/usage/savings/savings-screen")).SavingsScreen,
  <ScreenSkeleton title="Usage" />,
);
export const AnomaliesScreen = lazyComponent(
  async () => (await import("@/features/usage/anomalies/anomalies-screen")).AnomaliesScreen,
  <ScreenSkeleton title="Usage" />,
);
export const BillingScreen = lazyComponent(
  async () => (await import("@/features/usage/billing/billing-screen")).BillingScreen,
  <ScreenSkeleton title="Usage" />,
);
export const ActivityScreen = lazyComponent(
  async () => (await import("@/features/usage/activity/activity-screen")).ActivityScreen,
  <ScreenSkeleton title="Usage" />,
);
export const BudgetsScreen = lazyComponent(
  async () => (await import("@/features/usage/budgets/budgets-screen")).BudgetsScreen,
  <ScreenSkeleton title="Usage" />,
);
export const PlansScreen = lazyComponent(
  async () => (await import("@/features/usage/plans/plans-screen")).PlansScreen,
  <ScreenSkeleton title="Usage" />,
);
export const SessionLogsScreen = lazyComponent(
  async () => (await import("@/features/usage/session-logs/session-logs-screen")).SessionLogsScreen,
  <ScreenSkeleton title="Usage" />,
);
export const RequestsScreen = lazyComponent(
  async () => (await import("@/features/requests/requests-screen")).RequestsScreen,
  <ScreenSkeleton title="Requests" />,
);
export const CacheScreen = lazyComponent(
  async () => (await import("@/features/cache/cache-screen")).CacheScreen,
  <ScreenSkeleton title="Usage" />,
);
export const PricesScreen = lazyComponent(
  async () => (await import("@/features/prices/prices-screen")).PricesScreen,
  <ScreenSkeleton title="Usage" />,
);
export const ReadinessScreen = lazyComponent(
  async () => (await import("@/features/readiness/readiness-screen")).ReadinessScreen,
  <ScreenSkeleton title="Readiness" />,
);
export const HealthScreen = lazyComponent(
  async () => (await import("@/features/health/now-screen")).NowScreen,
  <ScreenSkeleton title="Health" />,
);
export const TimelineScreen = lazyComponent(
  async () => (await import("@/features/health/timeline-screen")).TimelineScreen,
  <ScreenSkeleton title="Health" />,
);
export const LevelsScreen = lazyComponent(
  async () => (await import("@/features/health/levels-screen")).LevelsScreen,
  <ScreenSkeleton title="Health" />,
);
export const LocalScreen = lazyComponent(
  async () => (await import("@/features/health/local-screen")).LocalScreen,
  <ScreenSkeleton title="Health" />,
);
export const AlertsScreen = lazyComponent(
  async () => (await import("@/features/alerts/firing-screen")).FiringScreen,
  <ScreenSkeleton title="Alerts" />,
);
export const AlertHistoryScreen = lazyComponent(
  async () => (await import("@/features/alerts/history-screen")).HistoryScreen,
  <ScreenSkeleton title="Alerts" />,
);
export const AlertRulesScreen = lazyComponent(
  async () => (await import("@/features/alerts/rules-screen")).RulesScreen,
  <ScreenSkeleton title="Alerts" />,
);
export const SilencesScreen = lazyComponent(
  async () => (await import("@/features/alerts/silences-screen")).SilencesScreen,
  <ScreenSkeleton title="Alerts" />,
);
export const AlertChannelsScreen = lazyComponent(
  async () => (await import("@/features/alerts/channels-screen")).ChannelsScreen,
  <ScreenSkeleton title="Alerts" />,
);
export const IncidentScreen = lazyComponent(
  async () => (await import("@/features/alerts/incident-screen")).IncidentScreen,
  <ScreenSkeleton title="Alert" />,
);
export const PlaygroundScreen = lazyComponent(
  async () => (await import("@/features/playground/playground-screen")).PlaygroundScreen,
  <ScreenSkeleton title="Playground" />,
);
export const SettingsScreen = lazyComponent(
  async () => (await import("@/features/settings/settings-screen")).SettingsScreen,
  <ScreenSkeleton title="Settings" />,
);

const PRELOADS: Record<Screen["path"], () => Promise<void>> = {
  "/": OverviewScreen.preload,
  "/backends": BackendsScreen.preload,
  "/routing": RoutingScreen.preload,
  "/keys": KeysScreen.preload,
  "/clients": ClientsScreen.preload,
  "/usage": CostsScreen.preload,
  "/requests": RequestsScreen.preload,
  "/readiness": ReadinessScreen.preload,
  "/health": HealthScreen.preload,
  "/alerts": AlertsScreen.preload,
  "/playground": PlaygroundScreen.preload,
  "/settings": SettingsScreen.preload,
};

/** The other parts of Usage, Health and Alerts. */
const PART_PRELOADS: Record<string, () => Promise<void>> = {
  "/breakdown": BreakdownScreen.preload,
  "/savings": SavingsScreen.preload,
  "/anomalies": AnomaliesScreen.preload,
  "/plans": PlansScreen.preload,
  "/billing": BillingScreen.preload,
  "/activity": ActivityScreen.preload,
  "/budgets": BudgetsScreen.preload,
  "/cache": CacheScreen.preload,
  "/prices": PricesScreen.preload,
  "/session-logs": SessionLogsScreen.preload,
  "/health/timeline": TimelineScreen.preload,
  "/health/levels": LevelsScreen.preload,
  "/health/local": LocalScreen.preload,
  "/alerts/history": AlertHistoryScreen.preload,
  "/alerts/rules": AlertRulesScreen.preload,
  "/alerts/silences": SilencesScreen.preload,
  "/alerts/channels": AlertChannelsScreen.preload,
  "/alerts/": IncidentScreen.preload,
};

/** Loads the screen of a path. */
export function preloadScreen(pathname: string): Promise<void> {
  const part = Object.entries(PART_PRELOADS).find(([path]) => pathname.startsWith(path));
  if (part) return part[1]();
  return PRELOADS[SCREENS.find((screen) => isWithin(screen, pathname))?.path ?? "/"]();
}

/** Loads every screen in the order of the navigation, each when the page is idle. */
export async function preloadScreens(): Promise<void> {
  for (const preload of [...SCREENS.map((screen) => PRELOADS[screen.path]), ...Object.values(PART_PRELOADS)]) {
    await new Promise<void>((resolve) => void whenIdle(resolve));
    await preload();
  }
}
