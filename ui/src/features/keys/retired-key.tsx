/** The key before the present one: whether its provider still accepts it. */
import { SearchCheck } from "lucide-react";
import { Button } from "@/components/button";
import { ErrorNotice } from "@/components/error-notice";
import { Moment } from "@/components/moment";
import { Notice } from "@/components/notice";
import { useAction } from "@/ipc/actions";
import type { RetiredKeyCheckView, RetiredKeyView } from "@/ipc/bindings";

export function RetiredKey({ id, retired }: { id: string; retired: RetiredKeyView }) {
  const check = useAction("keyRetiredCheck", (call, name: string) => call({ id: name }));
  return (
    <section aria-label="Old key" className="flex flex-col gap-2 rounded-card border border-line p-3">
      <div className="flex items-start gap-3">
        <p className="min-w-0 flex-1 text-13 text-pretty text-ink-2">
          The old key {retired.tail !== null && <code className="font-mono text-12">…{retired.tail}</code>} was replaced{" "}
          <Moment at={retired.replaced_at} focusable />. Revoke it at the provider, then check that it no longer works.
        </p>
        <Button size="small" icon={SearchCheck} busy={check.isPending} onClick={() => check.mutate(id)}>
          Check old key
        </Button>
      </div>
      {check.data && <Notice tone={toneOf(check.data)} urgent title={check.data.sentence} />}
      <ErrorNotice error={check.error} />
    </section>
  );
}

function toneOf({ state }: RetiredKeyCheckView) {
  return state === "rejected" ? "info" : state === "accepted" ? "warn" : "info";
}
