/**
 * The panel with a fake host: `fake.html?scenario=busy&theme=dark&clock=stopped&pace=1`. A separate entry, so that the
 * product never loads it.
 */
import { startPanel } from "@/app/start";
import { fakeHost } from "@/ipc/fake-host";
import { SCENARIOS, type Scenario } from "@/ipc/fake/world";
import { stoppedClock, systemClock } from "@/lib/clock";
import { applyTheme } from "@/lib/theme";

const STOPPED_AT = Date.UTC(2026, 10, 20, 14, 20);

const asked = new URLSearchParams(window.location.search);
const scenario: Scenario = SCENARIOS.find((name) => name === asked.get("scenario")) ?? "busy";
const clock = asked.get("clock") === "stopped" ? stoppedClock(STOPPED_AT) : systemClock();
/** Factor for all delays. */
const pace = Number(asked.get("pace") ?? 1);
const host = fakeHost({ scenario, clock, later: (ms, run) => void setTimeout(run, ms * pace) });
const theme = asked.get("theme");

if (theme === "light" || theme === "dark") {
  const settings = await host.settings().catch(() => null);
  if (settings?.valid) await host.settingsEdit({ ...settings.values, theme });
  applyTheme(theme);
}
startPanel(host, clock);
