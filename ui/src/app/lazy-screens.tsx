/** The screens, each a script of its own: the first is loaded at the start, the others ahead, one after the other. */
import { isWithin, SCREENS, type Screen } from "@/app/screens";
import { lazyComponent } from "@/components/lazy";
import { OverviewFrame, OverviewSkeleton } from "@/features/overview/overview-skeleton";
import { whenIdle } from "@/lib/idle";

/** Where title and content will be. Not a heading, because it is replaced by one. */
function ScreenSkeleton({ title }: { title: string }) {
  return (
    <div role="status" aria-label={`Loading ${title}`} className="flex h-full flex-col gap-4 px-6 pt-5 pb-6">
      <div aria-hidden className="min-h-10 text-18 leading-6 font-semibold tracking-[-0.01em] text-ink-1">
        {title}
      </div>
      <div aria-hidden className="min-h-0 flex-1 animate-fade-in-late rounded-card border border-line bg-surface-1" />
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
export const UsageScreen = lazyComponent(
  async () => (await import("@/features/usage/usage-screen")).UsageScreen,
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
  "/usage": UsageScreen.preload,
  "/requests": RequestsScreen.preload,
  "/readiness": ReadinessScreen.preload,
  "/playground": PlaygroundScreen.preload,
  "/settings": SettingsScreen.preload,
};

/** Loads the screen of a path. */
export function preloadScreen(pathname: string): Promise<void> {
  if (pathname.startsWith("/cache")) return CacheScreen.preload();
  if (pathname.startsWith("/prices")) return PricesScreen.preload();
  return PRELOADS[SCREENS.find((screen) => isWithin(screen, pathname))?.path ?? "/"]();
}

/** Loads every screen in the order of the navigation, each when the page is idle. */
export async function preloadScreens(): Promise<void> {
  const others = [CacheScreen.preload, PricesScreen.preload];
  for (const preload of [...SCREENS.map((screen) => PRELOADS[screen.path]), ...others]) {
    await new Promise<void>((resolve) => void whenIdle(resolve));
    await preload();
  }
}
