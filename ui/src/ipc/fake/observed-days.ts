/** What the fake core observed of a backend or a service: a calm past, and a bad day today for what is down. */
import type { AvailabilityShareView, ShownHealth, StripDayView } from "@/ipc/bindings";
import { DAY_MS } from "@/lib/time";

const STRIP_DAYS = 90;
const DAY_MINUTES = 540;
const UNSEEN = { cell: "not_observed", percent: null, observed_minutes: 0, down_minutes: 0 } as const;

interface ObservedDays {
  availability: AvailabilityShareView[];
  strip: StripDayView[];
}

/** Nothing was observed of what is neither up nor down. */
export function observedDays(state: ShownHealth, seed: number, now: number): ObservedDays {
  const isSeen = state === "up" || state === "degraded" || state === "down";
  const strip = stripOf(seed, state === "down", now);
  const share = (percent: number | null) => (isSeen ? percent : null);
  return {
    availability: [
      shareOf("24 h", share(strip.at(-1)?.percent ?? null), 9, 24),
      shareOf("7 d", share(99.81), 45, 168),
      shareOf("90 d", share(99.64), 450, 2_160),
    ],
    strip: isSeen ? strip : strip.map((day) => ({ ...day, ...UNSEEN })),
  };
}

/** Weekends and the first days were not observed; every 23rd day was partly down. */
function stripOf(seed: number, isDown: boolean, now: number): StripDayView[] {
  return Array.from({ length: STRIP_DAYS }, (_, index) => {
    const at = now - (STRIP_DAYS - 1 - index) * DAY_MS;
    const day = new Date(at).toISOString().slice(0, 10);
    const weekday = new Date(at).getUTCDay();
    const isLast = index === STRIP_DAYS - 1;
    if ((index < 20 || weekday === 0 || weekday === 6) && !isLast)
      return { day, cell: "not_observed", percent: null, observed_minutes: 0, down_minutes: 0 };
    const down = isLast && isDown ? 61 : (index + seed) % 23 === 0 ? 14 : 0;
    const percent = (100 * (DAY_MINUTES - down)) / DAY_MINUTES;
    const cell = percent >= 99.5 ? "good" : percent >= 95 ? "partial" : "bad";
    return { day, cell, percent, observed_minutes: DAY_MINUTES, down_minutes: down };
  });
}

function shareOf(period: string, percent: number | null, hours: number, of: number): AvailabilityShareView {
  return {
    period,
    percent,
    observed_secs: percent === null ? 0 : hours * 3_600,
    coverage_percent: percent === null ? 0 : (100 * hours) / of,
    sentence: percent === null ? "not observed" : `${percent.toFixed(2)} % of ${hours} h observed`,
  };
}
