/** Where a button of the core's leads in the panel, and what it says. */
import type { ActionView } from "@/ipc/bindings";

export interface ActionTarget {
  /** A path of the panel. */
  path: string;
  label: string;
}

export function actionTarget(action: ActionView): ActionTarget {
  switch (action.kind) {
    case "open_backend":
      return { path: `/backends/${encodeURIComponent(action.id)}`, label: "Open backend" };
    case "open_key":
      return { path: `/keys/${encodeURIComponent(action.id)}`, label: "Open key" };
    case "add_backend":
      return { path: "/backends?add=true", label: "Add backend" };
    case "add_client":
      return { path: "/clients?add=true", label: "Connect a client" };
    case "run_checks":
      return { path: "/readiness", label: "Run checks" };
    case "open_readiness":
      return { path: "/readiness", label: "Open readiness" };
    case "open_settings":
      return { path: "/settings", label: "Open settings" };
  }
}
