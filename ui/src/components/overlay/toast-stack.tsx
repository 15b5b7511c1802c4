/** Draws the toasts. A script of its own, since the panel starts without one. */
import * as Radix from "@radix-ui/react-toast";
import { X } from "lucide-react";
import { useLayoutEffect, useState } from "react";
import { createPortal } from "react-dom";
import { IconButton } from "@/components/button/button";
import { PanelLink } from "@/components/layout/panel-link";
import { StateMark } from "@/components/state/state-mark";
import type { ShownToast } from "@/components/overlay/toast";
import { WithCode } from "@/components/text/with-code";
import type { Sign } from "@/lib/tables";

const PLAIN_MS = 6_000;
/** With something to press. */
const ACTION_MS = 10_000;

const SIGNS: Record<NonNullable<ShownToast["tone"]>, Sign> = {
  ok: { word: "Done", shape: "disc", tone: "ok" },
  warn: { word: "Attention", shape: "triangle", tone: "warn" },
  bad: { word: "Failed", shape: "barred", tone: "bad" },
};

interface ToastStackProps {
  toasts: ShownToast[];
  /** The container in the newest open dialog. */
  place: HTMLElement | undefined;
  onDismiss: (id: number) => void;
  onClose: () => void;
}

export function ToastStack({ toasts, place, onDismiss }: ToastStackProps) {
  // One element that is moved between containers: a toast mounted again would restart its timer.
  const [frame] = useState(() => document.createElement("div"));
  const [home, setHome] = useState<HTMLElement | null>(null);
  useLayoutEffect(() => {
    (place ?? home)?.append(frame);
  }, [place, home, frame]);
  return (
    <Radix.Provider swipeDirection="right" label="Result">
      {toasts.map((toast) => (
        <Radix.Root
          key={toast.id}
          duration={toast.undo || toast.link ? ACTION_MS : PLAIN_MS}
          onOpenChange={(open) => !open && onDismiss(toast.id)}
          className="flex animate-rise items-start gap-3 rounded-card border border-line bg-surface-1 py-2.5 pr-2 pl-3.5 shadow-float"
        >
          <span className="pt-1">
            <StateMark sign={SIGNS[toast.tone ?? "ok"]} />
          </span>
          <div className="min-w-0 flex-1">
            <Radix.Title className="font-medium text-ink-1 [overflow-wrap:anywhere]">{toast.title}</Radix.Title>
            {toast.detail && (
              <Radix.Description className="text-12 text-ink-2 [overflow-wrap:anywhere]">
                <WithCode>{toast.detail}</WithCode>
              </Radix.Description>
            )}
          </div>
          {toast.undo && (
            <Radix.Action
              altText="Undo"
              onClick={toast.undo}
              className="h-7 rounded-control px-2 text-12 font-medium text-accent hover:bg-surface-2"
            >
              Undo
            </Radix.Action>
          )}
          {toast.link && (
            <Radix.Action asChild altText={toast.link.label}>
              <PanelLink
                look="none"
                path={toast.link.path}
                className="flex h-7 items-center rounded-control px-2 text-12 font-medium whitespace-nowrap text-accent hover:bg-surface-2"
              >
                {toast.link.label}
              </PanelLink>
            </Radix.Action>
          )}
          <Radix.Close asChild>
            <IconButton label="Dismiss" icon={X} />
          </Radix.Close>
        </Radix.Root>
      ))}
      <div ref={setHome} />
      {createPortal(
        <Radix.Viewport className="fixed right-4 bottom-10 z-50 flex w-[340px] max-w-[calc(100vw-32px)] flex-col gap-2 outline-none" />,
        frame,
      )}
    </Radix.Provider>
  );
}
