/** The same request as code for the user's own tool. The core generates it, without a token. */
import { useId, useState } from "react";
import { CodeBlock } from "@/components/button/copy-button";
import { Select } from "@/components/form/select";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import type { PlaygroundSend } from "@/ipc/bindings";
import { usePlaygroundSnippets } from "@/ipc/playground-queries";

export function Code({ request }: { request: PlaygroundSend }) {
  const id = useId();
  const code = usePlaygroundSnippets(request);
  const [chosen, choose] = useState<string | null>(null);
  return (
    <Reading of={code} skeleton={<CodeSkeleton />}>
      {({ snippets, client, connected }) => {
        const shown = snippets.find((snippet) => snippet.title === chosen) ?? snippets[0];
        if (shown === undefined) return null;
        return (
          <div className="flex flex-col gap-3">
            <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
              <label htmlFor={id} className="sr-only">
                Library
              </label>
              <Select
                id={id}
                className="w-48"
                value={shown.title}
                onChange={choose}
                options={snippets.map(({ title }) => ({ value: title, label: title }))}
              />
              <span className="text-12 text-ink-3">
                {connected ? (
                  <>
                    as <PanelLink path={`/clients/${encodeURIComponent(client)}`}>{client}</PanelLink>
                  </>
                ) : (
                  <>
                    <PanelLink path="/clients?add=true">Connect a client</PanelLink> named {client} first
                  </>
                )}
              </span>
            </div>
            <CodeBlock title={shown.title} code={shown.code} />
          </div>
        );
      }}
    </Reading>
  );
}

function CodeSkeleton() {
  return (
    <div role="status" aria-label="Loading code">
      <Skeleton className="h-48 rounded-control" />
    </div>
  );
}
