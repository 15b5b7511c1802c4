/** A persistent message: what is the case, why, and what to do. */
import { CircleAlert, Info, TriangleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { WithCode } from "@/components/text/with-code";
import { classNames } from "@/lib/class-names";

export type NoticeTone = "info" | "warn" | "bad";

const LOOKS: Record<NoticeTone, { icon: LucideIcon; className: string; iconName: string }> = {
  info: { icon: Info, className: "border-info/30 bg-info-wash", iconName: "text-info" },
  warn: { icon: TriangleAlert, className: "border-warn/30 bg-warn-wash", iconName: "text-warn" },
  bad: { icon: CircleAlert, className: "border-bad/30 bg-bad-wash", iconName: "text-bad" },
};

interface NoticeProps {
  tone: NoticeTone;
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
  /** Announced at once: for responses to what the user just did. */
  urgent?: boolean;
}

export function Notice({ tone, title, children, action, urgent = false }: NoticeProps) {
  const { icon: Icon, className, iconName } = LOOKS[tone];
  return (
    <div
      role={urgent ? "alert" : "note"}
      className={classNames("flex items-start gap-3 rounded-control border px-3 py-2.5", className)}
    >
      <Icon size={16} strokeWidth={1.75} aria-hidden className={classNames("mt-px shrink-0", iconName)} />
      <div className="min-w-0 flex-1">
        <p className="font-medium text-ink-1 [overflow-wrap:anywhere]">
          <WithCode>{title}</WithCode>
        </p>
        {children !== undefined && children !== null && (
          <div className="mt-0.5 text-ink-2 [overflow-wrap:anywhere]">
            <WithCode>{children}</WithCode>
          </div>
        )}
      </div>
      {action}
    </div>
  );
}
