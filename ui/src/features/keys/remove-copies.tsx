/** Removes plain copies of stored keys from files, after a look at the masked diff, and undoes it. */
import { Button } from "@/components/button/button";
import { DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { Diff } from "@/components/text/diff";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Notice } from "@/components/notice/notice";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import { StateMark } from "@/components/state/state-mark";
import { RestoreCopyButton } from "@/features/keys/removed-copies";
import { useAction } from "@/ipc/actions";
import type {
  KeyCopiesFileView,
  KeyCopiesOutcomeView,
  KeyCopiesPlanView,
  KeysScan,
  LeftKeyCopyView,
} from "@/ipc/bindings";
import { useKeyCopiesPlan } from "@/ipc/key-copies-queries";
import { formatCounted } from "@/lib/quantity";

interface RemoveCopiesProps {
  scan: KeysScan;
  /** Fingerprints of the keys. */
  keys: readonly string[];
  onBack: () => void;
}

export function RemoveCopies({ scan, keys, onBack }: RemoveCopiesProps) {
  const plan = useKeyCopiesPlan({ scan, fingerprints: [...keys] });
  const remove = useAction("keyCopiesRemove", (call, fingerprint: string) =>
    call({ scan, fingerprints: [...keys], plan: fingerprint }),
  );
  if (remove.data) return <RemovedCopies outcomes={remove.data} left={plan.data?.left ?? []} onBack={onBack} />;
  const files = plan.data?.files ?? [];
  const apply = () => {
    // Someone changed a file in the meantime: the next look is at what is there now.
    if (plan.data) remove.mutate(plan.data.fingerprint, { onError: () => void plan.refetch() });
  };
  return (
    <>
      <DialogBody className="flex grow flex-col gap-4">
        <ErrorNotice error={remove.error} />
        <Reading of={plan} skeleton={<LoadingCard label="Loading changes" className="h-[220px]" />}>
          {(shown: KeyCopiesPlanView) => <CopiesPlan plan={shown} />}
        </Reading>
      </DialogBody>
      <DialogFoot>
        <Button onClick={onBack}>Back</Button>
        <Button look="danger" disabled={files.length === 0} busy={remove.isPending} onClick={apply}>
          {files.length > 1 ? `Remove from ${formatCounted(files.length, "file", "files")}` : "Remove copy"}
        </Button>
      </DialogFoot>
    </>
  );
}

function CopiesPlan({ plan: { files, left } }: { plan: KeyCopiesPlanView }) {
  return (
    <>
      {files.length > 0 && (
        <p className="text-ink-2">
          The vault was read and holds the same key. Its value is removed; everything else in the file stays. You can
          undo this while the key is in the vault.
        </p>
      )}
      {files.map((file) => (
        <FileChange key={file.path} file={file} />
      ))}
      <LeftCopies left={left} />
    </>
  );
}

function FileChange({ file: { path, diff, warning } }: { file: KeyCopiesFileView }) {
  return (
    <section aria-label={path} className="flex flex-col gap-1.5">
      <h3 className="min-w-0 font-mono text-11 text-ink-1 [overflow-wrap:anywhere]">{path}</h3>
      <Diff label={`Changes of ${path}`} text={diff} />
      {warning !== null && <Notice tone="warn" title={warning} />}
    </section>
  );
}

/** Copies that stay, with what to do by hand. */
function LeftCopies({ left }: { left: LeftKeyCopyView[] }) {
  if (left.length === 0) return null;
  return (
    <Notice tone="warn" title="These lines you have to change yourself">
      <ul className="mt-1 flex flex-col gap-1.5">
        {left.map(({ path, line, reason }) => (
          <li key={`${path}:${line}`}>
            <span className="font-mono text-12 text-ink-1">{`${path}:${line}`}</span> {reason}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function RemovedCopies({
  outcomes,
  left,
  onBack,
}: {
  outcomes: KeyCopiesOutcomeView[];
  left: LeftKeyCopyView[];
  onBack: () => void;
}) {
  return (
    <>
      <DialogBody className="flex grow flex-col gap-4">
        <ul aria-label="Changed files" className="flex flex-col rounded-card border border-line">
          {outcomes.map((outcome) => (
            <li key={outcome.path} className="flex items-center gap-2.5 border-b border-line px-3 py-2.5 last:border-0">
              <OutcomeSign isRemoved={outcome.error === null} />
              <div className="min-w-0 grow">
                <p className="font-mono text-12 text-ink-1 [overflow-wrap:anywhere]">{outcome.path}</p>
                <p className="text-12 text-ink-2">{describeOutcome(outcome)}</p>
              </div>
              {outcome.removed !== null && <RestoreCopyButton removed={outcome.removed} onRestored={onBack} />}
            </li>
          ))}
        </ul>
        <LeftCopies left={left} />
      </DialogBody>
      <DialogFoot>
        <Button look="primary" onClick={onBack}>
          Done
        </Button>
      </DialogFoot>
    </>
  );
}

function OutcomeSign({ isRemoved }: { isRemoved: boolean }) {
  return isRemoved ? (
    <StateMark sign={{ shape: "disc", tone: "ok", word: "Removed" }} />
  ) : (
    <StateMark sign={{ shape: "triangle", tone: "bad", word: "Not removed" }} />
  );
}

function describeOutcome({ error, removed }: KeyCopiesOutcomeView): string {
  if (error !== null) return `Left as it is: ${error}.`;
  return `${(removed?.keys ?? []).join(", ")} is in the vault only.`;
}
