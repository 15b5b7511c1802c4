/** The prompt, an optional system prompt, and the parameters that every dialect has. */
import { CornerDownLeft, Plus, Square, X } from "lucide-react";
import { useId, type ComponentProps, type ReactNode } from "react";
import type { ChangeDraft, Draft } from "@/features/playground/draft";
import { Button, IconButton } from "@/components/button/button";
import { ErrorNotice } from "@/components/notice/error-notice";
import { TextInput } from "@/components/form/field";
import { Select } from "@/components/form/select";
import { Kbd } from "@/components/text/kbd";
import type { ApiError, ReasoningEffort } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { faultElsewhere, faultOf } from "@/lib/fault";

const COMMAND_KEY = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";

const EFFORTS = [
  { value: "", label: "Default" },
  { value: "minimal", label: "Minimal" },
  { value: "low", label: "Low" },
  { value: "medium", label: "Medium" },
  { value: "high", label: "High" },
] as const satisfies { value: ReasoningEffort | ""; label: string }[];

const FIELDS = ["prompt", "temperature", "max_tokens"] as const;

interface ComposerProps {
  draft: Draft;
  change: ChangeDraft;
  going: boolean;
  error: ApiError | null;
  onSend: () => void;
  onStop: () => void;
}

export function Composer({ draft, change, going, error, onSend, onStop }: ComposerProps) {
  const set = (part: Partial<Draft>) => change((now) => ({ ...now, ...part }));
  const fault = FIELDS.map((name) => faultOf(error, name)).find((text) => text !== null) ?? null;
  return (
    <section
      aria-label="Prompt"
      className="flex shrink-0 flex-col rounded-card border border-line bg-surface-1 transition-colors duration-150 has-[textarea:focus]:border-accent"
    >
      {draft.system !== null && (
        <div className="flex items-start gap-2 rounded-t-card border-b border-line bg-surface-2/60 pr-2">
          <Prose
            aria-label="System prompt"
            rows={2}
            placeholder="Instructions for the model"
            value={draft.system}
            onChange={(event) => set({ system: event.target.value })}
          />
          <span className="pt-1.5">
            <IconButton label="Remove the system prompt" icon={X} onClick={() => set({ system: null })} />
          </span>
        </div>
      )}
      <Prose
        aria-label="Prompt"
        data-filter
        rows={3}
        placeholder="Write a prompt"
        value={draft.prompt}
        aria-invalid={faultOf(error, "prompt") !== null || undefined}
        onChange={(event) => set({ prompt: event.target.value })}
      />
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 py-2 pr-2 pl-3">
        {draft.system === null && (
          <Button look="quiet" size="small" icon={Plus} className="-ml-2" onClick={() => set({ system: "" })}>
            System prompt
          </Button>
        )}
        <Knobs draft={draft} set={set} error={error} />
        <SendButton going={going} isEmpty={draft.prompt.trim() === ""} onSend={onSend} onStop={onStop} />
      </div>
      {fault !== null && (
        <p role="alert" className="px-3 pb-2.5 text-12 text-bad">
          {fault}
        </p>
      )}
      {faultElsewhere(error, FIELDS) !== null && (
        <div className="px-3 pb-3">
          <ErrorNotice error={faultElsewhere(error, FIELDS)} />
        </div>
      )}
    </section>
  );
}

interface KnobsProps {
  draft: Draft;
  set: (part: Partial<Draft>) => void;
  error: ApiError | null;
}

function Knobs({ draft, set, error }: KnobsProps) {
  return (
    <>
      <Knob label="Temperature">
        {(id) => (
          <TextInput
            id={id}
            type="number"
            min={0}
            max={2}
            step={0.1}
            placeholder="auto"
            className="numeric w-16 [appearance:textfield] [&::-webkit-inner-spin-button]:appearance-none"
            value={draft.temperature}
            aria-invalid={faultOf(error, "temperature") !== null || undefined}
            onChange={(event) => set({ temperature: event.target.value })}
          />
        )}
      </Knob>
      <Knob label="Max tokens">
        {(id) => (
          <TextInput
            id={id}
            type="number"
            min={1}
            step={1}
            placeholder="auto"
            className="numeric w-16 [appearance:textfield] [&::-webkit-inner-spin-button]:appearance-none"
            value={draft.max_tokens}
            aria-invalid={faultOf(error, "max_tokens") !== null || undefined}
            onChange={(event) => set({ max_tokens: event.target.value })}
          />
        )}
      </Knob>
      <Knob label="Effort">
        {(id) => (
          <Select
            id={id}
            className="w-24"
            value={draft.effort}
            onChange={(effort) => set({ effort })}
            options={EFFORTS}
          />
        )}
      </Knob>
    </>
  );
}

interface SendButtonProps extends Pick<ComposerProps, "going" | "onSend" | "onStop"> {
  isEmpty: boolean;
}

function SendButton({ going, isEmpty, onSend, onStop }: SendButtonProps) {
  return (
    <div className="ml-auto flex items-center gap-3">
      <span aria-hidden className="hidden items-center gap-2 text-12 text-ink-3 @min-[900px]:flex">
        <Kbd keys={going ? ["Esc"] : [COMMAND_KEY, "↵"]} />
      </span>
      {/* One button for both actions, so that it keeps the focus. */}
      <Button
        look={going ? "plain" : "primary"}
        icon={going ? Square : CornerDownLeft}
        size="small"
        className="w-22"
        disabled={!going && isEmpty}
        title={!going && isEmpty ? "Write a prompt first" : undefined}
        aria-keyshortcuts={going ? "Escape" : "Control+Enter Meta+Enter"}
        onClick={going ? onStop : onSend}
      >
        {going ? "Stop" : "Send"}
      </Button>
    </div>
  );
}

/** A multi-line text field that is part of the surrounding card. */
function Prose({ className, ...rest }: ComponentProps<"textarea">) {
  return (
    <textarea
      {...rest}
      spellCheck={false}
      className={classNames(
        "block w-full resize-none rounded-card bg-transparent px-4 pt-3 pb-2 text-13 text-ink-1 outline-none",
        className,
      )}
    />
  );
}

function Knob({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <span className="flex items-center gap-2">
      <label htmlFor={id} className="text-12 whitespace-nowrap text-ink-2">
        {label}
      </label>
      {children(id)}
    </span>
  );
}
