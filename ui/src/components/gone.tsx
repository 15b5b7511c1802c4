/** What an address named is not here: it was removed, or the address is from elsewhere. */
import { Button } from "@/components/button";
import { Notice } from "@/components/notice";

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
