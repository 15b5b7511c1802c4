/** The rate behind every amount that is shown in another currency than US dollars. Nothing for US dollars. */
import { PanelLink } from "@/components/panel-link";
import { useCurrency } from "@/ipc/queries";

export function RateNote() {
  const finding = useCurrency().data?.finding ?? null;
  if (finding === null) return null;
  return (
    <p className="truncate text-11 text-ink-3" title={finding}>
      <PanelLink look="none" path="/settings?part=Currency" className="rounded-mark hover:underline">
        {finding}
      </PanelLink>
    </p>
  );
}
