/** Buttons, links that look like buttons, and buttons that are only an icon (which then must have a label). */
import { Slot } from "@radix-ui/react-slot";
import { LoaderCircle, type LucideIcon } from "lucide-react";
import type { ComponentProps, MouseEvent, ReactNode } from "react";
import { Hint } from "@/components/overlay/hint";
import { classNames } from "@/lib/class-names";

export type ButtonLook = "primary" | "plain" | "quiet" | "danger";

const BASE =
  "inline-flex shrink-0 items-center justify-center gap-2 rounded-control font-medium whitespace-nowrap transition-colors duration-150 ease-out disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:opacity-60";

const LOOKS: Record<ButtonLook, string> = {
  primary: "bg-accent text-on-accent not-disabled:hover:bg-accent-hover",
  plain:
    "border border-line bg-surface-1 text-ink-1 not-disabled:hover:bg-surface-2 not-disabled:hover:border-line-strong",
  quiet: "text-ink-2 not-disabled:hover:bg-surface-2 not-disabled:hover:text-ink-1",
  danger: "border border-bad/50 bg-bad-wash text-bad not-disabled:hover:border-bad",
};

const SIZES = { small: "h-7 px-2.5 text-12", medium: "h-8 px-3 text-13" };

interface ButtonProps extends Omit<ComponentProps<"button">, "children"> {
  look?: ButtonLook;
  size?: keyof typeof SIZES;
  icon?: LucideIcon | undefined;
  /** In progress: shows a spinner instead of the icon, ignores presses and keeps the focus. */
  busy?: boolean;
  /** Gives its only child (a link) the style of a button. */
  asChild?: boolean;
  children: ReactNode;
}

/** For a button that submits, it keeps the form from being sent. */
function prevent(event: MouseEvent) {
  event.preventDefault();
}

export function Button({
  look = "plain",
  size = "medium",
  icon: Icon,
  busy = false,
  asChild = false,
  className,
  children,
  ...rest
}: ButtonProps) {
  const names = classNames(BASE, LOOKS[look], SIZES[size], className);
  if (asChild) return <Slot className={names}>{children}</Slot>;
  return (
    <button
      type="button"
      {...rest}
      onClick={busy ? prevent : rest.onClick}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      className={names}
    >
      {busy ? (
        <LoaderCircle size={14} strokeWidth={1.5} className="animate-spin" aria-hidden />
      ) : (
        Icon && <Icon size={14} strokeWidth={1.75} aria-hidden />
      )}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<ComponentProps<"button">, "children"> {
  label: string;
  icon: LucideIcon;
}

export function IconButton({ label, icon: Icon, className, ...rest }: IconButtonProps) {
  return (
    <Hint text={label}>
      <button
        type="button"
        aria-label={label}
        {...rest}
        className={classNames(
          "inline-flex size-7 shrink-0 items-center justify-center rounded-control text-ink-3 transition-colors duration-150 hover:bg-surface-2 hover:text-ink-1 disabled:opacity-50",
          className,
        )}
      >
        <Icon size={16} strokeWidth={1.5} aria-hidden />
      </button>
    </Hint>
  );
}
