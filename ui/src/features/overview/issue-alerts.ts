/** Which alerts fire about what an issue is about. */
import type { AlertView, StatusIssueView } from "@/ipc/bindings";
import { actionTarget } from "@/lib/action";

/** `/backends` of `/backends/openai`, `/settings` of `/settings?part=Vault`. */
function screenOf(path: string): string {
  return path.replace(/^(\/[^/?]*).*$/, "$1");
}

/** The name of the backend, key, route, budget or service that an issue is about. */
function subjectOf({ id, action }: StatusIssueView): string | undefined {
  return "id" in action ? action.id : /^service\/(.+)$/.exec(id)?.[1];
}

/** Those of its name that lead to its screen; without a name, those that lead to the same place. */
export function alertsAbout(issue: StatusIssueView, alerts: readonly AlertView[]): AlertView[] {
  const { action } = issue;
  if (action.kind === "run_checks" || action.kind === "resume_gateway") return [];
  const { path } = actionTarget(action, issue.id);
  const name = subjectOf(issue);
  return alerts.filter(
    (alert) =>
      alert.state !== "pending" &&
      (name === undefined
        ? alert.path === path
        : alert.scopes.includes(name) && screenOf(alert.path) === screenOf(path)),
  );
}
