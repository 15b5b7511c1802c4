/** The request and response exactly as sent, without the token. */
import { CodeBlock } from "@/components/button/copy-button";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import type { PlaygroundRawExchangeView, PlaygroundRunView } from "@/ipc/bindings";
import { usePlaygroundRaw } from "@/ipc/playground-queries";
import { formatBytes } from "@/lib/quantity";

export function Raw({ run }: { run: PlaygroundRunView | undefined }) {
  if (run === undefined)
    return <p className="text-ink-3">Shows the raw request and response once a request is sent.</p>;
  return <Exchange run={run} />;
}

function Exchange({ run }: { run: PlaygroundRunView }) {
  const raw = usePlaygroundRaw(run);
  return (
    <Reading of={raw} skeleton={<ExchangeSkeleton />}>
      {(data) => (
        <div className="flex flex-col gap-3">
          <CodeBlock title="request" code={`${data.request_head}\n\n${data.request_body}`} />
          {data.answer_head !== "" && <CodeBlock title="response" code={answerOf(data)} />}
          {data.answer_bytes_cut > 0 && (
            <p className="text-12 text-ink-3">{formatBytes(data.answer_bytes_cut)} more were received but not kept.</p>
          )}
        </div>
      )}
    </Reading>
  );
}

function answerOf(raw: PlaygroundRawExchangeView): string {
  return `${raw.answer_head}\n\n${raw.answer_body}`.trimEnd();
}

function ExchangeSkeleton() {
  return (
    <div role="status" aria-label="Loading exchange">
      <Skeleton className="h-40 rounded-control" />
    </div>
  );
}
