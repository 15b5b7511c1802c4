/** What is promised where nothing has an objective of its own, and what that allows; each can be changed. */
import { Pencil } from "lucide-react";
import { useState } from "react";
import { ObjectiveDialog } from "@/features/health/objective-dialog";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import type { ObjectiveTarget, ObjectiveView, ServiceLevelsView } from "@/ipc/bindings";

const PERIODS = { "7d": "7 days", "30d": "30 days" } as const;

export function ObjectivesCard({ objectives, first_token_max_ms: maxMs }: ServiceLevelsView) {
  const [edited, setEdited] = useState<ObjectiveTarget | null>(null);
  const objective = objectives.find(({ target }) => target === edited);
  return (
    <Card title="Objectives" note="the defaults, and what they allow" flush>
      <ul>
        {objectives.map((one) => (
          <li
            key={one.target}
            className="flex min-h-10 items-center gap-4 border-b border-line px-4 py-1.5 last:border-b-0"
          >
            <span className="w-60 min-w-0 truncate text-ink-1">{one.label}</span>
            <span className="numeric w-44 shrink-0 text-left whitespace-nowrap text-ink-1">{promise(one, maxMs)}</span>
            <span className="min-w-0 flex-1 truncate text-12 text-ink-2" title={one.consequence}>
              {one.consequence}
            </span>
            {!one.is_default && <span className="shrink-0 text-12 text-ink-3">changed</span>}
            <Button
              size="small"
              look="quiet"
              icon={Pencil}
              className="-mr-2.5"
              aria-label={`Edit the objective of ${one.label}`}
              onClick={() => setEdited(one.target)}
            >
              Edit
            </Button>
          </li>
        ))}
      </ul>
      {objective && (
        <ObjectiveDialog
          key={objective.target}
          edited={{ ...objective, name: null, maxMs, own: null }}
          onClose={() => setEdited(null)}
        />
      )}
    </Card>
  );
}

function promise({ goal, period, period_is_fixed: isFixed }: ObjectiveView, maxMs: number): string {
  return isFixed ? `${goal} % within ${maxMs / 1_000} s` : `${goal} % in ${PERIODS[period]}`;
}
