/** Renders parts of the panel, or all of it, over the made-up world with a clock that stands still. */
import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { createPanelRouter } from "@/app/router";
import { createPanelCache } from "@/app/start";
import { Toasts } from "@/components/overlay/toast";
import { connectEvents } from "@/ipc/events";
import { fakeHost, type FakeHost } from "@/ipc/fake-host";
import type { Scenario } from "@/ipc/fake/world";
import { HostContext } from "@/ipc/host-context";
import { ClockContext, stoppedClock } from "@/lib/clock";

export const NOW = Date.UTC(2026, 10, 20, 14, 20);

export interface Rendered {
  host: FakeHost;
  cache: QueryClient;
  user: ReturnType<typeof userEvent.setup>;
  /** Lets everything happen that the world has put off. */
  elapse: () => void;
}

/** A world whose delays pass only when `elapse` is called. */
export function makeHost(scenario: Scenario): { host: FakeHost; elapse: () => void } {
  const waiting: (() => void)[] = [];
  const host = fakeHost({ scenario, clock: stoppedClock(NOW), later: (_ms, run) => void waiting.push(run) });
  return {
    host,
    elapse: () => {
      for (let run = waiting.shift(); run; run = waiting.shift()) run();
    },
  };
}

export function renderWith(scenario: Scenario, content: ReactNode): Rendered {
  const { host, elapse } = makeHost(scenario);
  const cache = createPanelCache();
  const user = userEvent.setup();
  connectEvents(host, cache, () => {});
  render(
    <HostContext value={host}>
      <ClockContext value={stoppedClock(NOW)}>
        <QueryClientProvider client={cache}>
          {content}
          <Toasts />
        </QueryClientProvider>
      </ClockContext>
    </HostContext>,
  );
  return { host, cache, user, elapse };
}

export function renderPanel(scenario: Scenario, path: string): Rendered {
  const router = createPanelRouter(createMemoryHistory({ initialEntries: [path] }));
  return renderWith(scenario, <RouterProvider router={router} />);
}
