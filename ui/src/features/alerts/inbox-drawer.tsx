/** What happened, newest first, wherever one is in the panel. */
import { CheckCheck, Inbox } from "lucide-react";
import { Button } from "@/components/button/button";
import { Drawer, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { EmptyState } from "@/components/notice/empty-state";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { StateMark } from "@/components/state/state-mark";
import { useAction } from "@/ipc/actions";
import { useInbox } from "@/ipc/alert-queries";
import { signOfEntry } from "@/features/alerts/alert-sign";
import { notifyError } from "@/components/overlay/toast";
import type { InboxEntryView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { formatCounted } from "@/lib/quantity";

interface InboxDrawerProps {
  open: boolean;
  onClose: () => void;
}

export function InboxDrawer({ open, onClose }: InboxDrawerProps) {
  if (!open) return null;
  return <OpenInbox onClose={onClose} />;
}

function OpenInbox({ onClose }: Pick<InboxDrawerProps, "onClose">) {
  const inbox = useInbox();
  const read = useAction("inboxRead", (call, number: number | null) => call({ number }));
  const unread = inbox.data?.pages[0]?.unread ?? 0;
  return (
    <Drawer
      open
      onClose={onClose}
      title="Inbox"
      description={
        inbox.data && (unread === 0 ? "Nothing unread." : `${formatCounted(unread, "entry", "entries")} unread.`)
      }
    >
      <DialogBody>
        <Reading of={inbox} skeleton={<SkeletonRows rows={6} label="Loading inbox" />}>
          {(data) => (
            <Entries
              entries={data.pages.flatMap((page) => page.entries)}
              onOpen={(number) => {
                read.mutate(number, { onError: notifyError });
                onClose();
              }}
            />
          )}
        </Reading>
      </DialogBody>
      <DialogFoot>
        {inbox.hasNextPage && (
          <Button look="quiet" busy={inbox.isFetchingNextPage} onClick={() => void inbox.fetchNextPage()}>
            Show older
          </Button>
        )}
        <Button asChild>
          <PanelLink look="none" path="/alerts" onClick={onClose}>
            All alerts
          </PanelLink>
        </Button>
        <Button
          icon={CheckCheck}
          disabled={unread === 0}
          busy={read.isPending}
          onClick={() => read.mutate(null, { onError: notifyError })}
        >
          Mark all read
        </Button>
      </DialogFoot>
    </Drawer>
  );
}

interface EntriesProps {
  entries: InboxEntryView[];
  onOpen: (number: number) => void;
}

function Entries({ entries, onOpen }: EntriesProps) {
  if (entries.length === 0)
    return (
      <EmptyState icon={Inbox} title="Nothing happened yet">
        Alerts appear here, including those you missed.
      </EmptyState>
    );
  return (
    <ul aria-label="Entries" className="-mx-5 -my-4">
      {entries.map((entry) => {
        const sign = signOfEntry(entry);
        return (
          <li key={entry.number} className="border-b border-line last:border-b-0">
            <PanelLink
              look="none"
              path={`/alerts/${entry.number}`}
              aria-label={`${entry.is_read ? "" : "Unread, "}${sign.word}: ${entry.title}. ${entry.detail}`}
              onClick={() => onOpen(entry.number)}
              className="focus-inset flex items-start gap-3 px-5 py-2.5 hover:bg-surface-2"
            >
              <span className="pt-1">
                <StateMark sign={sign} />
              </span>
              <span className="min-w-0 flex-1">
                <span
                  className={classNames("block truncate", entry.is_read ? "text-ink-2" : "font-medium text-ink-1")}
                  title={entry.title}
                >
                  {entry.title}
                </span>
                <span className="line-clamp-2 text-12 text-ink-2">{entry.detail}</span>
              </span>
              <span className="flex items-center gap-2 text-12 whitespace-nowrap text-ink-3">
                <Moment at={entry.fired_at} />
                <span
                  data-mark
                  aria-hidden
                  className={classNames("size-2 rounded-full", entry.is_read ? "bg-transparent" : "bg-accent")}
                />
              </span>
            </PanelLink>
          </li>
        );
      })}
    </ul>
  );
}
