/** The product's entry: the desktop window's host inside Tauri, the loopback host in a browser. */
import { startPanel } from "@/app/start";
import { exchangeOneTimeToken, httpHost } from "@/ipc/http-host";
import { tauriHost } from "@/ipc/tauri-host";
import { systemClock } from "@/lib/clock";

if ("__TAURI_INTERNALS__" in window) {
  startPanel(tauriHost(), systemClock());
} else {
  // A failed exchange shows as the panel's own "not connected": there is nothing else to say before it.
  void exchangeOneTimeToken()
    .catch(() => undefined)
    .then(() => startPanel(httpHost(), systemClock()));
}
