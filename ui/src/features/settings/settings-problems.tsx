/** The errors of the settings file, and a preview of the certain repair. */
import { Button } from "@/components/button/button";
import { Diff } from "@/components/text/diff";
import { ErrorNotice } from "@/components/notice/error-notice";
import { notify, notifyError } from "@/components/overlay/toast";
import { StateMark } from "@/components/state/state-mark";
import { useAction } from "@/ipc/actions";
import type { SettingsProblemView, SettingsView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";

export function SettingsProblems({ settings }: { settings: SettingsView }) {
  const fix = useAction("settingsFix", (call) => call());
  const undo = useAction("settingsFixUndo", (call) => call());
  if (settings.problems.length === 0) return null;
  return (
    <section
      aria-label="Settings file problems"
      className={classNames(
        "overflow-hidden rounded-card border bg-surface-1",
        settings.valid ? "border-warn/45" : "border-bad/45",
      )}
    >
      <header className="px-4 pt-3 pb-2">
        <h2 className="font-semibold">
          {settings.valid ? "The settings file has warnings" : "The settings file has errors"}
        </h2>
        <p className="text-12 text-ink-2">
          {settings.valid
            ? "The settings work, but these parts are ignored."
            : "Defaults or the last valid settings are in use, and settings cannot be changed until the file is repaired."}{" "}
          <code className="font-mono text-11 [overflow-wrap:anywhere]">{settings.path}</code>
        </p>
      </header>
      <ul className="border-t border-line">
        {settings.problems.map((problem) => (
          <Problem key={`${problem.path}${problem.line}`} problem={problem} />
        ))}
      </ul>
      {settings.proposed_fix !== null && (
        <div className="flex flex-col gap-3 border-t border-line p-4">
          <h3 className="text-12 font-medium text-ink-2">Proposed repair:</h3>
          <Diff label="Proposed repair" text={settings.proposed_fix} />
          <ErrorNotice error={fix.error} />
          <div>
            <Button
              look="primary"
              busy={fix.isPending}
              onClick={() =>
                fix.mutate(undefined, {
                  onSuccess: () =>
                    notify({
                      title: "Repaired the settings file",
                      undo: () => undo.mutate(undefined, { onError: notifyError }),
                    }),
                })
              }
            >
              Apply repair
            </Button>
          </div>
        </div>
      )}
    </section>
  );
}

function Problem({ problem }: { problem: SettingsProblemView }) {
  return (
    <li className="flex gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
      <span className="pt-[3px]">
        <StateMark
          sign={
            problem.fatal
              ? { word: "Error", shape: "barred", tone: "bad" }
              : { word: "Warning", shape: "triangle", tone: "warn" }
          }
        />
      </span>
      <div className="min-w-0 [overflow-wrap:anywhere]">
        <p className="font-mono text-12 text-ink-1">
          <span className="sr-only">{problem.fatal ? "Error: " : "Warning: "}</span>
          {problem.path}
          {problem.line !== null && <span className="text-ink-3"> line {problem.line}</span>}
        </p>
        <p className="text-ink-2 first-letter:uppercase">{problem.message}</p>
      </div>
    </li>
  );
}
