/** The addresses of Health: one for each of its parts. */
import { createRoute, useNavigate } from "@tanstack/react-router";
import { HealthScreen, LevelsScreen, LocalScreen, TimelineScreen } from "@/app/lazy-screens";
import { root } from "@/app/root-route";
import { parseTimelineRange, type TimelineRange } from "@/lib/timeline-range";

const now = createRoute({ getParentRoute: () => root, path: "/health", component: HealthScreen });

const timeline = createRoute({
  getParentRoute: () => root,
  path: "/health/timeline",
  validateSearch: (search: Record<string, unknown>): { range?: TimelineRange } =>
    search["range"] === undefined ? {} : { range: parseTimelineRange(search["range"]) },
  component: function Timeline() {
    const navigate = useNavigate();
    return (
      <TimelineScreen
        range={timeline.useSearch().range ?? "24h"}
        onRange={(range) => void navigate({ to: "/health/timeline", search: { range }, replace: true })}
      />
    );
  },
});

const levels = createRoute({ getParentRoute: () => root, path: "/health/levels", component: LevelsScreen });
const local = createRoute({ getParentRoute: () => root, path: "/health/local", component: LocalScreen });

export const healthRoutes = [now, timeline, levels, local] as const;
