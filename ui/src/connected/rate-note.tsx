/** The rate behind every amount that is shown in another currency than US dollars. Nothing for US dollars. */
import { PanelLink } from "@/components/layout/panel-link";
import { useCurrency } from "@/ipc/queries";

export function RateNote() {
  const finding = useCurrency().data?.finding ?? null;
  if (finding === null) return null;
  return (
    <span className="block truncate text-11 text-ink-3" title={finding}>
      <PanelLink look="plain" path="/settings?part=Currency">
        {finding}
      </PanelLink>
    </span>
  );
}
