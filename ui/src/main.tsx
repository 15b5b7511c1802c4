/** The product's entry: the desktop host inside Tauri, the loopback host in a browser. */
import { startPanel } from "@/app/start";
import { httpHost } from "@/ipc/http-host";
import { openNewLinks, openSession } from "@/ipc/session";
import { tauriHost } from "@/ipc/tauri-host";
import { systemClock } from "@/lib/clock";

if ("__TAURI_INTERNALS__" in window) {
  startPanel(tauriHost(), systemClock());
} else {
  openNewLinks();
  void openSession().then((session) => startPanel(httpHost(session), systemClock()));
}
