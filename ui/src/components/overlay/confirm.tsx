/** Asks for confirmation before something is lost, and lists what. */
import { Button } from "@/components/button/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { Notice } from "@/components/notice/notice";
import type { ApiError } from "@/ipc/bindings";

interface ConfirmProps {
  open: boolean;
  title: string;
  /** What is lost and what is kept. */
  losses: string[];
  verb: string;
  busy: boolean;
  error: ApiError | null;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ open, title, losses, verb, busy, error, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <DialogBody className="flex flex-col gap-3">
        <ul className="flex list-disc flex-col gap-1 pl-4 text-ink-2 marker:text-ink-3">
          {losses.map((loss) => (
            <li key={loss}>{loss}</li>
          ))}
        </ul>
        {error !== null && (
          <Notice tone="bad" urgent title={error.message}>
            {error.hint}
          </Notice>
        )}
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="danger" busy={busy} onClick={onConfirm}>
          {verb}
        </Button>
      </DialogFoot>
    </Dialog>
  );
}
