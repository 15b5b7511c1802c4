/** The host for the desktop window. The only file that calls Tauri, over the commands that the core generates. */
import { toApiError } from "@/ipc/api-error";
import { commands, events } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { EVERY_TAG } from "@/ipc/tags";

type Answer = { status: "ok"; data: unknown } | { status: "error"; error: unknown };

/** Makes a generated command reject with its `ApiError` instead of returning it. Also covers Tauri's own errors. */
function rejecting(command: (...req: never[]) => Promise<Answer>) {
  return async (...req: never[]): Promise<unknown> => {
    const answer = await command(...req).catch((thrown: unknown): Answer => ({ status: "error", error: thrown }));
    if (answer.status === "error") throw toApiError(answer.error);
    return answer.data;
  };
}

export function tauriHost(): Host {
  const operations = Object.entries(commands).map(([name, command]) => [name, rejecting(command)]);
  return {
    session: null,
    ...(Object.fromEntries(operations) as Pick<Host, keyof typeof commands>),
    subscribe(listener) {
      const listening = events.panelEvent.listen((event) => listener(event.payload));
      // Data that was fetched before this moment may have changed without an event.
      void listening.then(() => listener({ kind: "changed", tags: EVERY_TAG }));
      return () => {
        void listening.then((stop) => stop());
      };
    },
  };
}
