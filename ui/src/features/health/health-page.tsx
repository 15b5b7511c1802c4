/** The frame that the parts of Health share. */
import type { ReactNode } from "react";
import { LinkTabs } from "@/components/layout/link-tabs";
import { Page } from "@/components/layout/page";
import { HEALTH_PARTS, type HealthPart } from "@/lib/health-parts";

const TABS = HEALTH_PARTS.map(({ part, label, path }) => ({ id: part, label, path }));

interface HealthPageProps {
  current: HealthPart;
  /** The sentence that answers the question of this part. */
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function HealthPage({ current, lead, actions, children }: HealthPageProps) {
  return (
    <Page title="Health" lead={lead} actions={actions}>
      <LinkTabs label="Parts of Health" tabs={TABS} current={current} />
      {children}
    </Page>
  );
}
