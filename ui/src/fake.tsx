/**
 * The panel over a made-up world: `fake.html?scenario=busy&theme=dark&clock=stopped`. A second entry, so that the
 * product never loads it.
 */
import { startPanel } from "@/app/start";
import { fakeHost } from "@/ipc/fake-host";
import { SCENARIOS, type Scenario } from "@/ipc/fake/world";
import { stoppedClock, systemClock } from "@/lib/clock";

const STOPPED_AT = Date.UTC(2026, 10, 20, 14, 20);

const asked = new URLSearchParams(window.location.search);
const scenario: Scenario = SCENARIOS.find((name) => name === asked.get("scenario")) ?? "busy";
const clock = asked.get("clock") === "stopped" ? stoppedClock(STOPPED_AT) : systemClock();
const host = fakeHost({ scenario, clock, later: (ms, run) => void setTimeout(run, ms) });
const theme = asked.get("theme");

if (theme === "light" || theme === "dark") {
  const settings = await host.settings().catch(() => null);
  if (settings?.valid) await host.settingsEdit({ ...settings.values, theme });
  localStorage.setItem("gatehouse.theme", theme);
}
startPanel(host, clock);
