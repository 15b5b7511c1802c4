/** The panel in the desktop window. The only file that speaks to Tauri. */
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { toApiError } from "@/ipc/api-error";
import type { PanelEvent } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { buildOperations } from "@/ipc/operations";
import { snakeCase } from "@/lib/names";

const EVENT_NAME = "panel-event";

async function command(name: string, args: Record<string, unknown>): Promise<unknown> {
  try {
    return await invoke(name, args);
  } catch (thrown) {
    throw toApiError(thrown);
  }
}

export function tauriHost(): Host {
  return {
    ...buildOperations((name, req) => command(snakeCase(name), req === null ? {} : { req })),
    openUrl: async (url) => {
      await command("open_url", { req: url });
      return null;
    },
    subscribe(listener) {
      const listening = listen<PanelEvent>(EVENT_NAME, (event) => listener(event.payload));
      return () => {
        void listening.then((stop) => stop());
      };
    },
  };
}
