/** One setting: its description on the left, its control on the right, and a mark if it is not the default. */
import type { ReactNode } from "react";
import { WithCode } from "@/components/text/with-code";

interface SettingRowProps {
  label: ReactNode;
  detail: ReactNode;
  changed: boolean;
  children: ReactNode;
}

export function SettingRow({ label, detail, changed, children }: SettingRowProps) {
  return (
    <div className="relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-6 border-b border-line px-4 py-2.5 last:border-b-0">
      {changed && <span aria-hidden className="absolute inset-y-2 left-0 w-0.5 rounded-full bg-accent" />}
      <div className="min-w-0">
        <div className="font-medium text-ink-1">
          {label}
          {changed && <span className="ml-2 text-11 font-normal text-accent">changed</span>}
        </div>
        <div className="text-12 text-pretty text-ink-3">
          <WithCode>{detail}</WithCode>
        </div>
      </div>
      {children}
    </div>
  );
}
