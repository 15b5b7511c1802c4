/**
 * The parts of Usage, each a place of its own. What was chosen on one part (period, filter, dimensions) stays in the
 * address on the way to another, so that it is still chosen on the way back.
 */
import { createContext, use } from "react";
import { LinkTabs } from "@/components/layout/link-tabs";
import { pathWith, type AddressValue } from "@/lib/request-filter";
import { USAGE_PARTS, type UsagePart } from "@/lib/usage-parts";

/** The words of the address that every part keeps. */
export const KeptWords = createContext<Record<string, AddressValue>>({});

export function UsageTabs({ current }: { current: UsagePart }) {
  const kept = use(KeptWords);
  const tabs = USAGE_PARTS.map(({ part, label, path }) => ({ id: part, label, path: pathWith(path, kept) }));
  return <LinkTabs label="Parts of Usage" tabs={tabs} current={current} />;
}
