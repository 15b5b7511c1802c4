/** The fake core's machine: an idle afternoon; in the failing world memory is almost full and the ledger slow. */
import type { LedgerPerformanceView, LocalChartView, LocalHealthView, StartStage, StartView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { seededRandom } from "@/ipc/fake/random";
import type { World } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";
import { HOUR_MS } from "@/lib/time";

const POINTS = 120;
const STEP_MS = (6 * HOUR_MS) / POINTS;
const MB = 1_000_000;

const STAGES: [StartStage, string, number][] = [
  ["program", "loading the program", 14],
  ["folders", "folders and the lock on them", 2],
  ["settings", "reading the settings", 3],
  ["vault", "opening the vault", 1],
  ["ledger", "opening the ledger", 21],
  ["prices", "reading prices", 4],
  ["tools", "looking after wired tools", 1],
  ["state", "reading health, budgets and alerts", 6],
  ["control", "opening the control listener", 2],
  ["gateway", "opening the gateway's listener", 3],
];

export function ledgerPerformance(world: World, now: number): LedgerPerformanceView {
  const isSlow = world.ledgerIncident;
  return {
    log_bytes: 412_032,
    check: { at: now - 2 * HOUR_MS, is_sound: true },
    last_backup: world.requests.length > 0 ? now - 5 * HOUR_MS : null,
    reads: 18_240,
    waited_reads: isSlow ? 31 : 0,
    longest_wait_ms: isSlow ? 214 : 0,
    slow_limit_ms: 100,
    slow_count: isSlow ? 4 : 0,
    slow_statements: isSlow
      ? [
          {
            text: "SELECT model, sum(requests), sum(cost) FROM cross_rollup WHERE hour >= ?1 AND hour < ?2 GROUP BY model",
            count: 3,
            worst_ms: 412,
            plan: ["SEARCH cross_rollup USING PRIMARY KEY (hour>? AND hour<?)", "USE TEMP B-TREE FOR GROUP BY"],
          },
          { text: "COMMIT", count: 1, worst_ms: 188, plan: [] },
        ]
      : [],
  };
}

function startOf(world: World, at: number, index: number): StartView {
  const isSlow = world.ledgerIncident && index === 0;
  const stages = STAGES.map(([stage, meaning, ms]) => ({
    stage,
    meaning,
    ms: isSlow && stage === "ledger" ? 1_240 : ms * (1 + ((index * 7) % 5) / 10),
  }));
  const ready = stages.reduce((sum, { ms }) => sum + ms, 0);
  const slowest = stages.reduce((left, right) => (right.ms > left.ms ? right : left));
  return {
    at,
    version: "0.1.0",
    ready_ms: ready,
    is_slow: ready >= 1_000,
    finding: `Longest stage: ${slowest.meaning}, ${Math.round(slowest.ms)} ms`,
    stages,
    first_probe_ms: ready + 180,
    panel_ms: ready + 390,
  };
}

function chart(
  rest: Omit<LocalChartView, "latest" | "extreme" | "limit" | "is_beyond"> & Partial<LocalChartView>,
  text: (value: number) => string,
): LocalChartView {
  const known = rest.values.filter((value) => value !== null);
  const [last, most] = [known.at(-1) ?? 0, Math.max(...known)];
  const extreme = rest.measure === "disk_free" ? Math.min(...known) : most;
  return { latest: text(last), extreme: text(extreme), limit: null, is_beyond: false, ...rest };
}

const percent = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
const megabytes = (value: number) => `${Math.round(value / MB)} MB`;
const gigabytes = (value: number) => `${(value / 1_000 / MB).toFixed(1)} GB`;

function localHealth(world: World, now: number): LocalHealthView {
  const isFull = world.ledgerIncident;
  const random = seededRandom(11);
  const points = Array.from({ length: POINTS }, (_, index) => now - (POINTS - 1 - index) * STEP_MS);
  const valuesOf = (base: number, swing: number, burst: number) =>
    points.map((_, index) => base + swing * random.next() + (index % 37 > 33 ? burst * random.next() : 0));
  const memory = valuesOf(isFull ? 88 : 58, 2, 1);
  return {
    finding: isFull
      ? `Memory of this machine: ${percent(memory.at(-1) ?? 0)}`
      : "Gatehouse uses 84 MB and 0.1 % of a core",
    points,
    charts: [
      chart(
        { measure: "app_processor", unit: "percent", label: "Processor of Gatehouse", values: valuesOf(0.06, 0.05, 4) },
        percent,
      ),
      chart(
        {
          measure: "app_memory",
          unit: "bytes",
          label: "Memory of Gatehouse",
          values: valuesOf(83 * MB, 2 * MB, 6 * MB),
        },
        megabytes,
      ),
      chart(
        {
          measure: "machine_processor",
          unit: "percent",
          label: "Processor of this machine",
          values: valuesOf(11, 9, 45),
        },
        percent,
      ),
      chart(
        {
          measure: "machine_memory",
          unit: "percent",
          label: "Memory of this machine",
          values: memory,
          limit: 85,
          is_beyond: isFull,
        },
        percent,
      ),
      chart(
        {
          measure: "disk_free",
          unit: "bytes",
          label: "Free space on the disk",
          values: points.map((_, index) => 214_600 * MB - index * 9 * MB),
        },
        gigabytes,
      ),
      chart(
        {
          measure: "ledger_size",
          unit: "bytes",
          label: "Size of the ledger",
          values: points.map((_, index) => 4.1 * MB + index * 1_800),
        },
        (value) => `${(value / MB).toFixed(1)} MB`,
      ),
    ],
    ledger: ledgerPerformance(world, now),
    starts: [2, 27, 51, 74, 98, 121, 170].map((hours, index) => startOf(world, now - hours * HOUR_MS, index)),
    machine: [
      { fact: "system", label: "System", value: "Debian GNU/Linux 12, kernel 6.1.0, x86_64" },
      { fact: "key_storage", label: "Key storage", value: "Keychain, by the Secret Service" },
      { fact: "web_view", label: "Web view", value: "WebKitGTK 2.48.1" },
      { fact: "proxy", label: "Proxy", value: "None named by the environment" },
      { fact: "power", label: "Power", value: isFull ? null : "Mains" },
    ],
  };
}

export function fakeLocal({ world, now, answer }: Doing): Pick<Host, "localHealth"> {
  return { localHealth: () => answer(() => localHealth(world, now())) };
}
