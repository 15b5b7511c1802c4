/** The addresses of Alerts: its parts, and one alert by its number. */
import { createRoute, Navigate, useNavigate } from "@tanstack/react-router";
import {
  AlertChannelsScreen,
  AlertHistoryScreen,
  AlertRulesScreen,
  AlertsScreen,
  IncidentScreen,
  SilencesScreen,
} from "@/app/lazy-screens";
import { root } from "@/app/root-route";

const firing = createRoute({ getParentRoute: () => root, path: "/alerts", component: AlertsScreen });

const history = createRoute({
  getParentRoute: () => root,
  path: "/alerts/history",
  component: function AlertHistory() {
    const navigate = useNavigate();
    return (
      <AlertHistoryScreen
        onOpen={(number) => void navigate({ to: "/alerts/$number", params: { number: String(number) } })}
      />
    );
  },
});

const rules = createRoute({ getParentRoute: () => root, path: "/alerts/rules", component: AlertRulesScreen });
const silences = createRoute({ getParentRoute: () => root, path: "/alerts/silences", component: SilencesScreen });
const channels = createRoute({ getParentRoute: () => root, path: "/alerts/channels", component: AlertChannelsScreen });

const incident = createRoute({
  getParentRoute: () => root,
  path: "/alerts/$number",
  component: function Incident() {
    const number = Number(incident.useParams().number);
    return Number.isSafeInteger(number) && number > 0 ? (
      <IncidentScreen key={number} number={number} />
    ) : (
      <Navigate to="/alerts" replace />
    );
  },
});

export const alertRoutes = [firing, history, rules, silences, channels, incident] as const;
