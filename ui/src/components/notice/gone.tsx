/** Shown if the item in the address does not exist: it was removed, or the address is wrong. */
import { Button } from "@/components/button/button";
import { Notice } from "@/components/notice/notice";

export function Gone({ what, id, onDismiss }: { what: string; id: string; onDismiss: () => void }) {
  return (
    <Notice
      tone="warn"
      title={`There is no ${what} named ${id}.`}
      action={
        <Button size="small" onClick={onDismiss}>
          Dismiss
        </Button>
      }
    >
      It may have been removed.
    </Notice>
  );
}
