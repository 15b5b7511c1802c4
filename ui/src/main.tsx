/** The product's entry: the desktop host inside Tauri, the loopback host in a browser. Neither loads the other. */
import { startPanel } from "@/app/start";
import type { Host } from "@/ipc/host";
import { systemClock } from "@/lib/clock";

async function tauriHost(): Promise<Host> {
  return (await import("@/ipc/tauri-host")).tauriHost();
}

async function browserHost(): Promise<Host> {
  const [{ openNewLinks, openSession }, { httpHost }] = await Promise.all([
    import("@/ipc/session"),
    import("@/ipc/http-host"),
  ]);
  openNewLinks();
  return httpHost(await openSession());
}

// Not awaited here: a script that waits shares no code with those it loads, and all of it would be split.
void ("__TAURI_INTERNALS__" in window ? tauriHost() : browserHost()).then((host) => startPanel(host, systemClock()));
