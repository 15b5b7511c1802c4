/** The key before the present one: whether its provider still accepts it. */
import { SearchCheck } from "lucide-react";
import { Button } from "@/components/button/button";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Moment } from "@/components/text/moment";
import { Notice } from "@/components/notice/notice";
import { KeysPage } from "@/features/keys/keys-page";
import { useAction } from "@/ipc/actions";
import type { RetiredKeyCheckView, RetiredKeyView } from "@/ipc/bindings";

interface RetiredKeyProps {
  id: string;
  retired: RetiredKeyView;
  /** The provider's page where it is revoked; null if it is not known. */
  keysUrl: string | null;
}

export function RetiredKey({ id, retired, keysUrl }: RetiredKeyProps) {
  const check = useAction("keyRetiredCheck", (call, name: string) => call({ id: name }));
  return (
    <section aria-label="Old key" className="flex flex-col gap-2 rounded-card border border-line p-3">
      <div className="flex items-start gap-3">
        <p className="min-w-0 flex-1 text-13 text-pretty text-ink-2">
          The old key {retired.tail !== null && <code className="font-mono text-12">…{retired.tail}</code>} was replaced{" "}
          <Moment at={retired.replaced_at} focusable />. Revoke it at the provider, then check that it no longer works.
        </p>
        {keysUrl !== null && <KeysPage url={keysUrl}>Revoke…</KeysPage>}
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
