/** Chooses the model of a pane: a listed one, by backend, or any name typed in. */
import { Command } from "cmdk";
import { Check, ChevronsUpDown } from "lucide-react";
import { useRef, useState, type ReactNode } from "react";
import { StateMark } from "@/components/state/state-mark";
import type { BackendView } from "@/ipc/bindings";
import { useBackends } from "@/ipc/queries";
import { classNames } from "@/lib/class-names";
import { formatPrice } from "@/lib/money";
import { healthSign } from "@/lib/states";

interface ModelPickerProps {
  label: string;
  value: string;
  disabled: boolean;
  onChange: (model: string) => void;
}

export function ModelPicker({ label, value, disabled, onChange }: ModelPickerProps) {
  const [open, setOpen] = useState(false);
  const trigger = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    trigger.current?.focus();
  };
  return (
    <div className="relative min-w-0 flex-1">
      <button
        ref={trigger}
        type="button"
        disabled={disabled}
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-label={`${label}: ${value}`}
        onClick={() => setOpen(!open)}
        className="flex h-7 w-full min-w-0 items-center justify-between gap-2 rounded-control border border-line bg-surface-1 px-2 font-mono text-12 text-ink-1 transition-colors duration-150 not-disabled:hover:border-line-strong not-disabled:hover:bg-surface-2 disabled:opacity-70"
      >
        <span className="truncate">{value}</span>
        <ChevronsUpDown size={14} strokeWidth={1.5} aria-hidden className="shrink-0 text-ink-3" />
      </button>
      {open && (
        <div
          role="presentation"
          className="absolute top-full left-0 z-30 mt-1 w-[min(420px,calc(100vw-96px))] animate-fade-in overflow-hidden rounded-card border border-line bg-surface-1 shadow-float"
          onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.preventDefault();
            close();
          }}
        >
          <Models
            label={label}
            value={value}
            onChoose={(model) => {
              onChange(model);
              close();
            }}
          />
        </div>
      )}
    </div>
  );
}

/** A stable function, so that it runs once, when the list opens. */
function focus(input: HTMLInputElement | null): void {
  input?.focus();
}

function reveal(item: HTMLElement | null): void {
  item?.scrollIntoView({ block: "nearest" });
}

function Models({ label, value, onChoose }: { label: string; value: string; onChoose: (model: string) => void }) {
  const [words, setWords] = useState("");
  const backends = (useBackends().data ?? []).filter((backend) => backend.enabled && backend.in_profile);
  const typed = words.trim();
  return (
    <Command label={label} loop defaultValue={value}>
      <Command.Input
        ref={focus}
        value={words}
        onValueChange={setWords}
        placeholder="Search models or type a name"
        className="h-9 w-full border-b border-line bg-transparent px-3 text-13 text-ink-1 outline-none"
      />
      <Command.List
        label="Models"
        className="max-h-[max(120px,min(280px,calc(100vh-430px)))] overflow-y-auto p-1.5 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-1.5 [&_[cmdk-group-heading]]:pb-1"
      >
        {backends.map((backend) => (
          <Command.Group key={backend.id} heading={<Heading backend={backend} />}>
            {backend.models.map((model) => {
              const name = `${backend.id}/${model.id}`;
              return (
                <Item key={name} name={name} chosen={name === value} onSelect={() => onChoose(name)}>
                  <span className="truncate">{model.id}</span>
                  {model.price !== null && (
                    <span className="ml-auto shrink-0 pl-3 font-sans text-11 text-ink-3">
                      {formatPrice(model.price.input_nano_usd)} in, {formatPrice(model.price.output_nano_usd)} out
                    </span>
                  )}
                </Item>
              );
            })}
          </Command.Group>
        ))}
        {typed !== "" && (
          <Command.Group forceMount>
            <Item forceMount name={`as typed ${typed}`} chosen={false} onSelect={() => onChoose(typed)}>
              <span className="font-sans text-ink-2">Use</span>
              <span className="truncate">{typed}</span>
            </Item>
          </Command.Group>
        )}
      </Command.List>
      <p className="border-t border-line px-3 py-1.5 text-11 text-ink-3">Prices per million tokens.</p>
    </Command>
  );
}

function Heading({ backend }: { backend: BackendView }) {
  const sign = healthSign(backend.health);
  return (
    <span className="flex items-center gap-1.5 text-11 font-medium text-ink-3">
      <StateMark sign={sign} size={10} />
      {backend.label}
      {backend.built_in
        ? ", built in, with sample prices"
        : backend.health.state === "up"
          ? ""
          : `, ${sign.word.toLowerCase()}`}
    </span>
  );
}

interface ItemProps {
  name: string;
  chosen: boolean;
  forceMount?: boolean;
  onSelect: () => void;
  children: ReactNode;
}

function Item({ name, chosen, forceMount = false, onSelect, children }: ItemProps) {
  return (
    <Command.Item
      ref={chosen ? reveal : null}
      value={name}
      forceMount={forceMount}
      onSelect={onSelect}
      className="flex h-8 items-center gap-2 rounded-control px-2 font-mono text-12 text-ink-1 data-[selected=true]:bg-surface-2"
    >
      <Check
        size={14}
        strokeWidth={1.75}
        aria-hidden
        className={classNames("shrink-0 text-accent", !chosen && "invisible")}
      />
      {children}
    </Command.Item>
  );
}
