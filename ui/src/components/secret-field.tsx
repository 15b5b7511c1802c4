/**
 * Where a key goes in and never comes out. The field is uncontrolled: React never holds its text, so it is in no state,
 * no attribute and no cache; the owner reads it once through the ref, at the moment of sending, and clears it after.
 */
import { useState, type ClipboardEvent, type Ref } from "react";
import { Field, TextInput } from "@/components/field";
import type { PresetView } from "@/ipc/bindings";
import { inspectSecret, NOTHING_FOUND, type SecretFindings } from "@/lib/pasted-secret";

interface SecretFieldProps {
  label: string;
  ref: Ref<HTMLInputElement>;
  presets: PresetView[];
  fault?: string | null;
  onFindings?: (findings: SecretFindings) => void;
}

export function SecretField({ label, ref, presets, fault = null, onFindings }: SecretFieldProps) {
  const [findings, setFindings] = useState<SecretFindings>(NOTHING_FOUND);
  const inspect = (text: string) => {
    const found = inspectSecret(text, presets);
    setFindings(found);
    onFindings?.(found);
  };
  const paste = (event: ClipboardEvent<HTMLInputElement>) => {
    // A password field drops line breaks silently; a key broken over two lines must be told, not glued.
    const text = event.clipboardData.getData("text");
    if (!/\s/.test(text)) return;
    event.preventDefault();
    event.currentTarget.value = text.trim();
    inspect(text);
  };
  return (
    <Field label={label} fault={fault ?? innerSpaceFault(findings)} help={helpFor(findings)}>
      {(control) => (
        <TextInput
          {...control}
          ref={ref}
          type="password"
          mono
          autoComplete="new-password"
          data-1p-ignore
          placeholder="Paste the key"
          onPaste={paste}
          onInput={(event) => inspect(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

function innerSpaceFault(findings: SecretFindings): string | null {
  return findings.hasInnerSpace
    ? "There is a space or a line break inside. Keys have none: copy it again, whole."
    : null;
}

function helpFor(findings: SecretFindings): string {
  if (findings.empty) return "Goes straight to the vault. It can be used, replaced and removed, never read back.";
  const origin = sayOrigin(findings.providers.map(({ label }) => label));
  return findings.hasOuterSpace ? `${origin} Spaces or line breaks around it were taken off.` : origin;
}

function sayOrigin([first, ...others]: string[]): string {
  if (first === undefined) return "No known provider's keys begin like this.";
  return others.length === 0 ? `Looks like a key of ${first}.` : "The keys of several providers begin like this.";
}
