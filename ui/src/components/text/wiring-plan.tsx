/** What a change of a tool's files would do: the diff of each file, and what would be used instead. */
import { Diff } from "@/components/text/diff";
import { Notice } from "@/components/notice/notice";
import { Reading, type ReadingState } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import type { ChangedKeys, WiredKeyChangeView, WiringFileView, WiringPlanView } from "@/ipc/bindings";

/** What to do with our keys that others changed: only the user knows whose value is meant. */
export const CHANGED_KEYS = [
  { value: "keep", label: "Keep what is there now" },
  { value: "restore", label: "Restore what was there before" },
] as const satisfies { value: ChangedKeys; label: string }[];

export function ChangedKeyList({ changes }: { changes: WiredKeyChangeView[] }) {
  return (
    <ul className="flex flex-col gap-1 text-12">
      {changes.map((change) => (
        <li key={`${change.file} ${change.key}`} className="[overflow-wrap:anywhere]">
          <code className="font-mono text-ink-1">{change.key}</code>{" "}
          <span className="text-ink-2">
            {change.expected === null ? "was removed" : `was ${change.expected}`}, is{" "}
            {change.found === null ? "gone" : change.found} now
          </span>
        </li>
      ))}
    </ul>
  );
}

export function WiringPlan({ of }: { of: ReadingState<WiringPlanView> }) {
  return (
    <Reading of={of} skeleton={<LoadingCard label="Loading changes" className="h-[220px]" />}>
      {({ files, conflicts }: WiringPlanView) => (
        <>
          {conflicts.map((conflict) => (
            <Notice key={`${conflict.place} ${conflict.key}`} tone="warn" title="Something else would be used instead">
              {conflict.explanation}
            </Notice>
          ))}
          {files.length === 0 && <p className="text-ink-2">No file changes.</p>}
          {files.map((file) => (
            <FileChange key={file.path} file={file} />
          ))}
        </>
      )}
    </Reading>
  );
}

function FileChange({ file: { path, creates, removes, diff } }: { file: WiringFileView }) {
  const note = creates ? "new file" : removes ? "is removed" : null;
  return (
    <section aria-label={path} className="flex flex-col gap-1.5">
      <h3 className="flex items-baseline gap-2 text-12">
        <span className="min-w-0 font-mono text-11 text-ink-1 [overflow-wrap:anywhere]">{path}</span>
        {note !== null && <span className="whitespace-nowrap text-ink-3">{note}</span>}
      </h3>
      <Diff label={`Changes of ${path}`} text={diff} />
    </section>
  );
}
