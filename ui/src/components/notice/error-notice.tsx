/** The core's error for the last request: what happened, why, and what to do. */
import { Notice } from "@/components/notice/notice";
import type { ApiError } from "@/ipc/bindings";

export function ErrorNotice({ error }: { error: ApiError | null }) {
  if (error === null) return null;
  return (
    <Notice tone="bad" urgent title={error.message}>
      {error.hint}
    </Notice>
  );
}
