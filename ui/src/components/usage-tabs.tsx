/** The parts of Usage: what was spent, what the cache saved, and the prices behind both. */
import { Choice } from "@/components/choice";

export type UsageTab = "spend" | "cache" | "prices";

const TABS = [
  { value: "spend", label: "Spend" },
  { value: "cache", label: "Cache" },
  { value: "prices", label: "Prices" },
] as const;

export function UsageTabs({ value, onChange }: { value: UsageTab; onChange: (tab: UsageTab) => void }) {
  return <Choice label="What to show" options={TABS} value={value} onChange={onChange} />;
}
