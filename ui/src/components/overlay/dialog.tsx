/**
 * Centred dialogs and side drawers. The scrim is our own element: Radix's overlay locks scrolling with an inline
 * `<style>`, which the security policy forbids, and the page under it does not scroll anyway.
 */
import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import { useRef, type ReactNode, type Ref } from "react";
import { Button, IconButton } from "@/components/button/button";
import { ToastPlace } from "@/components/overlay/toast";
import { classNames } from "@/lib/class-names";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** One sentence under the title, announced on opening. */
  description?: ReactNode;
  width?: "narrow" | "wide";
  /** Keeps a fixed height, for steps whose buttons must not move. */
  steady?: boolean;
  children: ReactNode;
}

/**
 * Focuses the first control of the body, else of the footer: in a confirmation, the harmless answer. Radix would focus
 * the close button.
 */
function focusFirst(event: Event) {
  event.preventDefault();
  const content = event.currentTarget as HTMLElement;
  const first =
    content.querySelector<HTMLElement>("[data-autofocus]") ??
    content.querySelector<HTMLElement>(
      "[data-body] :is(input, select, textarea, button):not(:disabled), footer button:not(:disabled)",
    );
  (first ?? content).focus();
}

/** Focuses the drawer itself, so that it is read from its top. */
function focusWhole(event: Event) {
  event.preventDefault();
  (event.currentTarget as HTMLElement).focus();
}

/**
 * Remembers the focused element on opening and restores the focus on closing. Radix would restore its own trigger, but
 * these dialogs are opened by navigation. If that element is gone, with its page or with the palette, the dialog that is
 * still open gets the focus, else the page's content.
 */
function useReturn(focus: (event: Event) => void) {
  const opener = useRef<Element | null>(null);
  return {
    onOpenAutoFocus: (event: Event) => {
      const { activeElement } = document;
      if (!(event.currentTarget as HTMLElement).contains(activeElement)) opener.current = activeElement;
      focus(event);
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      const target = opener.current;
      const hasGone = !(target instanceof HTMLElement) || !target.isConnected || target === document.body;
      const rest = [...document.querySelectorAll<HTMLElement>("[role=dialog]")].at(-1);
      (hasGone ? (rest ?? document.getElementById("main")) : target)?.focus();
    },
  };
}

const CONTENT = "fixed z-40 flex flex-col border border-line bg-surface-1 shadow-float outline-none";

export function Dialog({ open, onClose, title, description, width = "narrow", steady = false, children }: DialogProps) {
  const focus = useReturn(focusFirst);
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <div aria-hidden className="fixed inset-0 z-40 animate-fade-in bg-scrim" />
        <Radix.Content
          aria-describedby={undefined}
          {...focus}
          className={classNames(
            CONTENT,
            "inset-x-0 top-[8vh] mx-auto max-h-[84vh] animate-rise rounded-card",
            steady && "h-[600px]",
            width === "wide" ? "w-[min(640px,calc(100vw-48px))]" : "w-[min(460px,calc(100vw-48px))]",
          )}
        >
          <Head title={title} description={description} />
          {children}
          <ToastPlace />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface DrawerProps extends Omit<DialogProps, "width" | "steady"> {
  /** Buttons beside the title. */
  actions?: ReactNode;
}

export function Drawer({ open, onClose, title, description, actions, children }: DrawerProps) {
  const focus = useReturn(focusWhole);
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <div aria-hidden className="fixed inset-0 z-40 animate-fade-in bg-scrim" />
        <Radix.Content
          aria-describedby={undefined}
          tabIndex={-1}
          {...focus}
          className={classNames(
            CONTENT,
            "inset-y-2 right-2 w-[min(520px,calc(100vw-64px))] animate-slide-in rounded-card",
          )}
        >
          <Head title={title} description={description} actions={actions} />
          {children}
          <ToastPlace />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Head({ title, description, actions }: { title: string; description?: ReactNode; actions?: ReactNode }) {
  return (
    <header className="flex shrink-0 items-start gap-3 border-b border-line px-5 py-4">
      <div className="min-w-0 flex-1">
        <Radix.Title className="truncate text-15 leading-5 font-semibold text-ink-1">{title}</Radix.Title>
        {description !== undefined && <div className="mt-1 text-ink-2">{description}</div>}
      </div>
      <div className="-my-1 -mr-2 flex items-center gap-1">
        {actions}
        <Radix.Close asChild>
          <IconButton label="Close" icon={X} />
        </Radix.Close>
      </div>
    </header>
  );
}

interface DialogBodyProps {
  children: ReactNode;
  className?: string;
  ref?: Ref<HTMLDivElement>;
}

export function DialogBody({ children, className, ref }: DialogBodyProps) {
  return (
    <div ref={ref} data-body className={classNames("min-h-0 flex-1 overflow-y-auto px-5 py-4", className)}>
      {children}
    </div>
  );
}

/** Buttons at the end, the primary one last. */
export function DialogFoot({ children }: { children: ReactNode }) {
  return (
    <footer className="flex shrink-0 items-center justify-end gap-2 border-t border-line px-5 py-3">{children}</footer>
  );
}

interface SubmitFootProps {
  onCancel: () => void;
  busy: boolean;
  disabled?: boolean;
  /** The words of the button that sends the form. */
  children: ReactNode;
}

/** The end of a form in a dialog. */
export function SubmitFoot({ onCancel, busy, disabled = false, children }: SubmitFootProps) {
  return (
    <DialogFoot>
      <Button onClick={onCancel}>Cancel</Button>
      <Button type="submit" look="primary" busy={busy} disabled={disabled}>
        {children}
      </Button>
    </DialogFoot>
  );
}
