/** The button of an issue: navigates to its fix, or starts the checks. */
import { useGatewayPause } from "@/connected/gateway-actions";
import { useAction } from "@/ipc/actions";
import type { CheckSet, PanelActionView } from "@/ipc/bindings";
import { Button, type ButtonLook } from "@/components/button/button";
import { PanelLink } from "@/components/layout/panel-link";
import { notifyError } from "@/components/overlay/toast";
import { actionTarget, RUN_CHECKS } from "@/lib/action";

interface ActionButtonProps {
  action: PanelActionView;
  /** The id of the need it belongs to. */
  need?: string;
  look?: ButtonLook;
  size?: "small" | "medium";
}

export function ActionButton({ action, need, look = "plain", size = "small" }: ActionButtonProps) {
  const { path, label } = actionTarget(action, need ?? null);
  if (action.kind === "run_checks") return <RunChecksButton look={look} size={size} set="quick" />;
  if (action.kind === "resume_gateway") return <ResumeButton look={look} size={size} label={label} />;
  return (
    <Button asChild look={look} size={size}>
      <PanelLink look="none" path={path}>
        {label}
      </PanelLink>
    </Button>
  );
}

function ResumeButton({ look, size, label }: { look: ButtonLook; size: "small" | "medium"; label: string }) {
  const { change, isPending } = useGatewayPause();
  return (
    <Button look={look} size={size} busy={isPending} onClick={() => change(false)}>
      {label}
    </Button>
  );
}

interface RunChecksButtonProps {
  look: ButtonLook;
  size: "small" | "medium";
  set: CheckSet;
}

/** Starts a run and navigates to its progress. */
export function RunChecksButton({ look, size, set }: RunChecksButtonProps) {
  const start = useAction("readinessStart", (call) => call({ set }));
  const run = () =>
    start.mutate(undefined, {
      onSuccess: () => {
        window.location.hash = "/readiness";
      },
      onError: notifyError,
    });
  return (
    <Button look={look} size={size} busy={start.isPending} onClick={run}>
      {RUN_CHECKS[set]}
    </Button>
  );
}
