/** The addresses of Health: one for each of its parts. */
import { createRoute } from "@tanstack/react-router";
import { HealthScreen, LevelsScreen } from "@/app/lazy-screens";
import { root } from "@/app/root-route";

const now = createRoute({ getParentRoute: () => root, path: "/health", component: HealthScreen });
const levels = createRoute({ getParentRoute: () => root, path: "/health/levels", component: LevelsScreen });

export const healthRoutes = [now, levels] as const;
