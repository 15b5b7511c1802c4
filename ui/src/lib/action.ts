/** Maps an action from the core to a path in the panel and a label. */
import type { CheckSet, PanelActionView } from "@/ipc/bindings";

export interface ActionTarget {
  path: string;
  label: string;
}

/** What starts each set of checks is called so everywhere. */
export const RUN_CHECKS: Record<CheckSet, string> = { quick: "Run quick checks", full: "Run all checks" };

/** The target of `action`; `need` is the id of the need it belongs to. */
export function actionTarget(action: PanelActionView, need: string | null = null): ActionTarget {
  switch (action.kind) {
    case "open_backend":
      return { path: `/backends/${encodeURIComponent(action.id)}`, label: "Open backend" };
    case "open_key":
      return { path: `/keys/${encodeURIComponent(action.id)}`, label: "Open key" };
    case "open_route":
      return { path: `/routing/${encodeURIComponent(action.id)}`, label: "Open route" };
    case "open_routing":
      return { path: "/routing", label: "Open routing" };
    case "add_backend":
      return { path: "/backends?add=true", label: "Add backend" };
    case "add_client":
      return { path: "/clients", label: "Connect a client" };
    case "find_keys":
      return { path: "/keys?find=true", label: "Find keys" };
    case "run_checks":
      return { path: "/readiness", label: RUN_CHECKS.quick };
    case "open_readiness":
      return { path: "/readiness", label: "Open readiness" };
    case "open_health":
      return { path: "/health", label: "Open health" };
    case "resume_gateway":
      return { path: "/", label: "Resume" };
    case "open_settings":
      return isVault(need)
        ? { path: "/settings?part=Vault", label: "Open vault settings" }
        : { path: "/settings", label: "Open settings" };
    case "open_ledger":
      return { path: "/settings?part=Ledger", label: "Open ledger" };
    case "open_budgets":
      return { path: "/budgets", label: "Open budgets" };
    case "open_prices":
      return { path: "/prices", label: "Open prices" };
    case "open_clients":
      return { path: "/clients", label: "Open clients" };
    case "open_alert_channels":
      return { path: "/alerts/channels", label: "Open channels" };
    case "open_budget":
      return { path: `/budgets?budget=${encodeURIComponent(action.id)}`, label: "Open budget" };
  }
}

/** `vault` and `vault/missing` are the core's needs about key storage. */
function isVault(need: string | null): boolean {
  return need !== null && /^vault(\/|$)/.test(need);
}
