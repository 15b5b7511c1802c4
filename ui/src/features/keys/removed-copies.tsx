/** Files from which plain copies of keys were removed, each with its undo. */
import { Button } from "@/components/button/button";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { RemovedKeyCopyView } from "@/ipc/bindings";
import { useRemovedKeyCopies } from "@/ipc/key-copies-queries";
import { formatExact } from "@/lib/time";

/** Nothing while no copy was removed. */
export function RemovedCopyList() {
  const removed = useRemovedKeyCopies().data ?? [];
  if (removed.length === 0) return null;
  return (
    <section aria-labelledby="removed-copies" className="flex flex-col gap-1.5">
      <h3 id="removed-copies" className="text-12 text-ink-2">
        Removed copies
      </h3>
      <ul aria-labelledby="removed-copies" className="flex flex-col rounded-card border border-line">
        {removed.map((copy) => (
          <li key={copy.id} className="flex items-center gap-3 border-b border-line px-3 py-2 last:border-0">
            <div className="min-w-0 grow">
              <p className="font-mono text-12 text-ink-1 [overflow-wrap:anywhere]">{copy.path}</p>
              <p className="text-12 text-ink-3">{copy.problem ?? describeRemoval(copy)}</p>
            </div>
            {copy.problem === null && <RestoreCopyButton removed={copy} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function describeRemoval({ keys, removed_at }: RemovedKeyCopyView): string {
  return `${keys.join(", ")}, ${formatExact(removed_at)}`;
}

export function RestoreCopyButton({
  removed: { id, path },
  onRestored,
}: {
  removed: RemovedKeyCopyView;
  onRestored?: () => void;
}) {
  const restore = useAction("keyCopiesRestore", (call) => call({ id }));
  const undo = () =>
    restore.mutate(undefined, {
      onSuccess: () => {
        onRestored?.();
        notify({ title: `The key is in ${path} again` });
      },
      onError: notifyError,
    });
  return (
    <Button size="small" onClick={undo} busy={restore.isPending} aria-label={`Undo in ${path}`}>
      Undo
    </Button>
  );
}
