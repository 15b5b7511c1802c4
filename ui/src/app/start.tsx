/** Renders the panel with a host: the code shared by both entries. */
import { QueryClient, QueryClientProvider, QueryObserver } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@/app/panel.css";
import { preloadScreen, preloadScreens } from "@/app/lazy-screens";
import { createPanelRouter } from "@/app/router";
import { SignedIn } from "@/app/signed-in";
import { lazyLayer } from "@/components/overlay/lazy";
import { Toasts } from "@/components/overlay/toast";
import type { SettingsView } from "@/ipc/bindings";
import { connectEvents } from "@/ipc/events";
import type { Host } from "@/ipc/host";
import { HostContext } from "@/ipc/host-context";
import { ClockContext, type Clock } from "@/lib/clock";
import { applyTheme } from "@/lib/theme";
import { queryKey } from "@/ipc/query-key";

const HintLayer = lazyLayer(async () => (await import("@/components/overlay/hint-layer")).HintLayer);

/** No automatic refetching or retries: only events and buttons refetch. */
export function createPanelCache(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: Infinity, retry: false, networkMode: "always", refetchOnWindowFocus: false },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}

export function startPanel(host: Host, clock: Clock): void {
  const cache = createPanelCache();
  const router = createPanelRouter();
  connectEvents(host, cache, (path) => router.history.push(path));
  followTheme(host, cache);
  const firstScreen = preloadScreen(router.history.location.pathname);
  tellPaint(host, cache, firstScreen);
  void firstScreen.then(preloadScreens);
  // Presets never change while the program runs. Prefetched, so that the add dialogs open complete.
  void cache.prefetchQuery({ queryKey: queryKey("presets"), queryFn: () => host.presets() });
  const element = document.getElementById("root");
  if (element === null) throw new Error("the page has no #root");
  createRoot(element).render(
    <StrictMode>
      <HostContext value={host}>
        <ClockContext value={clock}>
          <QueryClientProvider client={cache}>
            <SignedIn session={host.session}>
              <RouterProvider router={router} />
            </SignedIn>
            <Toasts />
            <HintLayer />
          </QueryClientProvider>
        </ClockContext>
      </HostContext>
    </StrictMode>,
  );
}

/** How often the page says that it still draws. The core calls it silent after three times as long. */
const DRAWN_PAUSE_MS = 30_000;

/**
 * Reports the first paint two frames after the screen and the verdict have loaded, when they are drawn, and from then
 * on that the page still draws.
 */
function tellPaint(host: Host, cache: QueryClient, screen: Promise<void>): void {
  const unsubscribe = cache.getQueryCache().subscribe((event) => {
    if (event.type !== "updated" || event.action.type !== "success" || event.query.queryKey[0] !== "status") return;
    unsubscribe();
    // A page that does not draw gets no frame, and so says nothing.
    const tell = () => {
      void host.painted().catch(() => undefined);
      setTimeout(() => requestAnimationFrame(tell), DRAWN_PAUSE_MS);
    };
    void screen.then(() => requestAnimationFrame(() => requestAnimationFrame(tell)));
  });
}

/** Applies the theme setting, even while no screen reads the settings. */
export function followTheme(host: Host, cache: QueryClient): void {
  const settings = new QueryObserver<SettingsView>(cache, {
    queryKey: queryKey("settings"),
    queryFn: () => host.settings(),
  });
  settings.subscribe(({ data }) => {
    if (data) applyTheme(data.values.theme);
  });
}
