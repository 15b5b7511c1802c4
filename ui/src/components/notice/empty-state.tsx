/** Explains why there is no content and offers the next step. */
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { WithCode } from "@/components/text/with-code";

export function EmptyState({
  icon: Icon,
  title,
  children,
  action,
}: {
  icon: LucideIcon;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center justify-center gap-1 px-6 py-10 text-center">
      <span className="mb-2 flex size-9 items-center justify-center rounded-card border border-line bg-surface-2 text-ink-3">
        <Icon size={18} strokeWidth={1.5} aria-hidden />
      </span>
      <p className="font-medium text-balance text-ink-1">{title}</p>
      <div className="max-w-96 text-pretty text-ink-2">
        <WithCode>{children}</WithCode>
      </div>
      {action !== undefined && <div className="mt-3 flex gap-2">{action}</div>}
    </div>
  );
}
