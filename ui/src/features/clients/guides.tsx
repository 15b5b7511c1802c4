/** Tools that are not wired: how each reaches the gateway all the same. */
import { GuideSteps } from "@/features/clients/guide-steps";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import { WithCode } from "@/components/text/with-code";
import type { GuideKind, ToolGuideView } from "@/ipc/bindings";
import { useClientGuides } from "@/ipc/queries";

const WAY: Record<GuideKind, string> = {
  manual: "Set up by hand",
  impossible: "Not possible",
};

export function Guides() {
  const guides = useClientGuides();
  return (
    <section aria-label="Other tools" className="flex flex-col gap-2">
      <div className="flex items-baseline gap-2">
        <h2 className="text-13 font-semibold text-ink-1">Other tools</h2>
        <p className="truncate text-12 text-ink-3">
          Gatehouse does not change their files; each says how it reaches the gateway.
        </p>
      </div>
      <Reading of={guides} skeleton={<LoadingCard label="Loading other tools" className="h-[242px]" />}>
        {(all) => (
          <ul aria-label="Other tools" className="divide-y divide-line rounded-card border border-line bg-surface-1">
            {foundFirst(all).map((guide) => (
              <li key={guide.tool}>
                <Guide guide={guide} />
              </li>
            ))}
          </ul>
        )}
      </Reading>
    </section>
  );
}

function foundFirst(guides: ToolGuideView[]): ToolGuideView[] {
  return guides.toSorted((a, b) => Number(b.found) - Number(a.found));
}

function Guide({ guide }: { guide: ToolGuideView }) {
  return (
    <details className="group">
      <DisclosureSummary className="h-10 rounded-control px-4 text-13">
        <span className="font-medium text-ink-1">{guide.name}</span>
        <span className="text-12 text-ink-3">{guide.found ? (guide.version ?? "on this machine") : ""}</span>
        <span className="ml-auto text-12 text-ink-2">{WAY[guide.kind]}</span>
      </DisclosureSummary>
      <div className="flex flex-col gap-3 px-4 pt-1 pb-4 pl-[38px] text-13">
        <p className="text-pretty text-ink-2">
          <WithCode>{guide.sentence}</WithCode>
        </p>
        <GuideSteps name={guide.name} steps={guide.steps} />
      </div>
    </details>
  );
}
