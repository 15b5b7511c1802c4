/** The two halves of Usage: what was spent, and what the cache saved. */
import { Choice } from "@/components/choice";

export type UsageTab = "spend" | "cache";

const TABS = [
  { value: "spend", label: "Spend" },
  { value: "cache", label: "Cache" },
] as const;

export function UsageTabs({ value, onChange }: { value: UsageTab; onChange: (tab: UsageTab) => void }) {
  return <Choice label="What to show" options={TABS} value={value} onChange={onChange} />;
}
