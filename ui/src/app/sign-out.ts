/** Ends the browser's session. The page changes on success, so only a failure is reported. */
import { notify } from "@/components/overlay/toast";
import { toApiError } from "@/ipc/api-error";
import type { Session } from "@/ipc/session";

export function signOut(session: Session): void {
  session.signOut().catch((thrown: unknown) => {
    const { message, hint } = toApiError(thrown);
    notify({ tone: "bad", title: message, detail: hint });
  });
}
