/** The frame around every screen: navigation, palette, shortcuts, the offline banner, the status line. */
import { Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { Bell, Keyboard, LogOut, RotateCw, Search, type LucideIcon } from "lucide-react";
import { useState, type ComponentProps } from "react";
import { tellFullText } from "@/app/full-text";
import { ProfileButton } from "@/app/profile-button";
import { isWithin, screenKey, SCREENS } from "@/app/screens";
import { COMMAND_KEY, useShortcuts } from "@/app/shortcuts";
import { StatusLine } from "@/app/status-line";
import { Button } from "@/components/button/button";
import { Hint } from "@/components/overlay/hint";
import { Kbd } from "@/components/text/kbd";
import { lazyOverlay } from "@/components/overlay/lazy";
import { Mark } from "@/components/layout/mark";
import { Notice } from "@/components/notice/notice";
import { PanelLink } from "@/components/layout/panel-link";
import { useAlerts } from "@/ipc/alert-queries";
import { useHost } from "@/ipc/host-context";
import { useCurrency, useStatus } from "@/ipc/queries";
import { signOut } from "@/app/sign-out";
import { classNames } from "@/lib/class-names";
import { useNow } from "@/lib/clock";
import { formatCounted } from "@/lib/quantity";
import { formatRelative } from "@/lib/time";

const Palette = lazyOverlay(
  async () => (await import("@/app/palette")).Palette,
  ({ open }) => open,
);
const InboxDrawer = lazyOverlay(
  async () => (await import("@/features/alerts/inbox-drawer")).InboxDrawer,
  ({ open }) => open,
);
const ShortcutsDialog = lazyOverlay(
  async () => (await import("@/app/shortcuts-dialog")).ShortcutsDialog,
  ({ open }) => open,
);

/** What a badge has room for. */
const COUNTED_MAX = 99;

type Open = "nothing" | "palette" | "shortcuts" | "inbox";

export function Shell() {
  const router = useRouter();
  const status = useStatus();
  const alerts = useAlerts();
  const currency = useCurrency().data;
  // Amounts are formatted while rendering, so a change of the currency renders everything anew.
  const money = currency === undefined ? "USD 1" : `${currency.code} ${currency.rate}`;
  // Remounts the scrolling part for each screen, so that every screen starts at its top.
  const screen = useLocation({ select: (location) => location.pathname.split("/")[1] });
  const [open, setOpen] = useState<Open>("nothing");
  const go = (path: string) => router.history.push(path);
  useShortcuts({
    openPalette: () => setOpen("palette"),
    openShortcuts: () => setOpen("shortcuts"),
    go: (path) => {
      setOpen("nothing");
      go(path);
    },
  });
  return (
    <div
      onPointerOver={tellFullText}
      className="grid h-full grid-cols-[52px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)_auto] min-[1000px]:grid-cols-[208px_minmax(0,1fr)]"
    >
      <a
        href="#main"
        onClick={focusMain}
        className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50 focus:rounded-control focus:bg-accent focus:px-3 focus:py-1.5 focus:text-on-accent"
      >
        Skip to content
      </a>
      <Navigation
        needs={status.data?.verdict.needs.length ?? 0}
        unread={alerts.data?.unread ?? 0}
        onFind={() => setOpen("palette")}
        onInbox={() => setOpen("inbox")}
        onShortcuts={() => setOpen("shortcuts")}
        go={go}
      />
      <main
        key={`${screen} ${money}`}
        id="main"
        tabIndex={-1}
        className="focus-inset relative min-h-0 overflow-y-auto outline-none"
      >
        {status.error?.code === "offline" && status.data !== undefined && (
          <OfflineBanner since={status.dataUpdatedAt} busy={status.isFetching} onRetry={() => void status.refetch()} />
        )}
        <Outlet />
      </main>
      <StatusLine key={money} status={status.data} error={status.error} />
      <Palette
        open={open === "palette"}
        onClose={() => setOpen("nothing")}
        onShortcuts={() => setOpen("shortcuts")}
        go={go}
      />
      <InboxDrawer open={open === "inbox"} onClose={() => setOpen("nothing")} />
      <ShortcutsDialog open={open === "shortcuts"} onClose={() => setOpen("nothing")} />
    </div>
  );
}

/** The router owns the fragment, so the link moves the focus itself. */
function focusMain(event: { preventDefault: () => void }) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function OfflineBanner({ since, busy, onRetry }: { since: number; busy: boolean; onRetry: () => void }) {
  const now = useNow();
  return (
    <div className="sticky top-0 z-30 bg-surface-0 px-6 pt-4">
      <Notice
        tone="bad"
        urgent
        title="Gatehouse is not responding."
        action={
          <Button size="small" icon={RotateCw} busy={busy} onClick={onRetry}>
            Try again
          </Button>
        }
      >
        This data is from {formatRelative(since, now)} and may be out of date.
      </Notice>
    </div>
  );
}

interface NavigationProps {
  /** Issues of the Overview. */
  needs: number;
  /** Entries of the inbox that were not looked at. */
  unread: number;
  onFind: () => void;
  onInbox: () => void;
  onShortcuts: () => void;
  go: (path: string) => void;
}

function Navigation({ needs, unread, onFind, onInbox, onShortcuts, go }: NavigationProps) {
  const pathname = useLocation({ select: (location) => location.pathname });
  const { session } = useHost();
  const wide = "hidden min-[1000px]:inline";
  return (
    <nav
      aria-label="Screens"
      className="flex min-h-0 flex-col gap-0.5 overflow-y-auto border-r border-line bg-surface-1 px-2 py-3"
    >
      <div className="mb-2 flex h-8 items-center gap-2.5 px-2">
        <Mark />
        <span className={classNames(wide, "text-15 font-semibold tracking-[-0.01em] text-ink-1")}>Gatehouse</span>
      </div>
      <Hint text={`Search or run (${COMMAND_KEY} K)`} side="right">
        <button
          type="button"
          onClick={onFind}
          aria-label="Search or run"
          aria-keyshortcuts="Control+K Meta+K"
          className="mb-2 flex h-8 items-center gap-2.5 rounded-control border border-line bg-surface-0 px-2 text-ink-3 transition-colors duration-150 hover:border-line-strong hover:text-ink-1"
        >
          <Search size={16} strokeWidth={1.5} aria-hidden className="shrink-0" />
          <span className={wide}>Search</span>
          <span className={classNames(wide, "ml-auto")}>
            <Kbd keys={[COMMAND_KEY, "K"]} />
          </span>
        </button>
      </Hint>
      <Hint text="Inbox" side="right">
        <button
          type="button"
          onClick={onInbox}
          aria-label={unread > 0 ? `Inbox, ${formatCounted(unread, "unread entry", "unread entries")}` : "Inbox"}
          className="relative mb-2 flex h-8 items-center gap-2.5 rounded-control px-2 text-ink-2 transition-colors duration-150 hover:bg-surface-2 hover:text-ink-1"
        >
          <Bell size={16} strokeWidth={1.5} aria-hidden className="shrink-0" />
          <span className={wide}>Inbox</span>
          {unread > 0 && <Count of={unread} />}
        </button>
      </Hint>
      {SCREENS.map((screen) => {
        const isHere = isWithin(screen, pathname);
        const count = screen.path === "/" ? needs : 0;
        return (
          <Hint key={screen.path} text={`${screen.label} (${COMMAND_KEY} ${screenKey(screen)})`} side="right">
            <PanelLink
              look="none"
              path={screen.path}
              aria-label={count > 0 ? `${screen.label}, ${formatCounted(count, "issue", "issues")}` : screen.label}
              aria-current={isHere ? "page" : undefined}
              className={classNames(
                "relative flex h-8 items-center gap-2.5 rounded-control px-2 transition-colors duration-150",
                isHere ? "bg-accent-wash font-medium text-ink-1" : "text-ink-2 hover:bg-surface-2 hover:text-ink-1",
              )}
            >
              <screen.icon
                size={16}
                strokeWidth={1.5}
                aria-hidden
                className={classNames("shrink-0", isHere && "text-accent")}
              />
              <span className={wide}>{screen.label}</span>
              {count > 0 && <Count of={count} />}
            </PanelLink>
          </Hint>
        );
      })}
      <div className="mt-auto flex flex-col gap-0.5 pt-2">
        <ProfileButton go={go} />
        <Hint text="Keyboard shortcuts (?)" side="right">
          <FootButton icon={Keyboard} label="Shortcuts" aria-label="Keyboard shortcuts" onClick={onShortcuts} />
        </Hint>
        {session !== null && (
          <Hint text="End this browser's session" side="right">
            <FootButton icon={LogOut} label="Sign out" aria-label="Sign out" onClick={() => signOut(session)} />
          </Hint>
        )}
      </div>
    </nav>
  );
}

/** Above the icon where there is no label. */
function Count({ of }: { of: number }) {
  return (
    <span className="absolute -top-0.5 -right-1.5 flex h-4 min-w-4 items-center justify-center rounded-full border border-warn/40 bg-warn-wash px-1 text-11 leading-none text-warn min-[1000px]:static min-[1000px]:ml-auto">
      {of > COUNTED_MAX ? `${COUNTED_MAX}+` : of}
    </span>
  );
}

interface FootButtonProps extends ComponentProps<"button"> {
  icon: LucideIcon;
  label: string;
}

function FootButton({ icon: Icon, label, ...rest }: FootButtonProps) {
  return (
    <button
      {...rest}
      type="button"
      className="flex h-8 w-full items-center gap-2.5 rounded-control px-2 text-ink-3 transition-colors duration-150 hover:bg-surface-2 hover:text-ink-1"
    >
      <Icon size={16} strokeWidth={1.5} aria-hidden className="shrink-0" />
      <span className="hidden min-[1000px]:inline">{label}</span>
    </button>
  );
}
