/**
 * The input for a key. It is uncontrolled: React never holds its text, so the key is in no state, attribute or cache.
 * The owner reads it once through the ref when sending, and clears it afterwards.
 */
import { useState, type ClipboardEvent, type Ref } from "react";
import { Field, TextInput } from "@/components/form/field";
import type { BackendPresetView } from "@/ipc/bindings";
import { inspectSecret, NOTHING_FOUND, type SecretFindings } from "@/lib/pasted-secret";

interface SecretFieldProps {
  label: string;
  ref: Ref<HTMLInputElement>;
  /** Whose keys are recognised; null for a secret that has no such form. */
  presets: BackendPresetView[] | null;
  optional?: boolean;
  fault?: string | null;
  onFindings?: (findings: SecretFindings) => void;
}

export function SecretField({ label, ref, presets, optional = false, fault = null, onFindings }: SecretFieldProps) {
  const [findings, setFindings] = useState<SecretFindings>(NOTHING_FOUND);
  const inspect = (text: string) => {
    const found = inspectSecret(text, presets ?? []);
    setFindings(found);
    onFindings?.(found);
  };
  const paste = (event: ClipboardEvent<HTMLInputElement>) => {
    // A password field drops line breaks silently. A key split over two lines must be reported, not joined.
    const text = event.clipboardData.getData("text");
    if (!/\s/.test(text)) return;
    event.preventDefault();
    event.currentTarget.value = text.trim();
    inspect(text);
  };
  return (
    <Field
      label={label}
      optional={optional}
      fault={fault ?? innerSpaceFault(findings)}
      help={presets === null ? STORED : helpFor(findings)}
    >
      {(control) => (
        <TextInput
          {...control}
          ref={ref}
          type="password"
          mono
          autoComplete="new-password"
          data-1p-ignore
          placeholder={presets === null ? "Paste it" : "Paste the key"}
          onPaste={paste}
          onInput={(event) => inspect(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

const STORED = "Stored in the vault. You can replace or remove it, but not read it back.";

function innerSpaceFault(findings: SecretFindings): string | null {
  return findings.hasInnerSpace ? "The key contains a space or line break. Copy it again." : null;
}

function helpFor(findings: SecretFindings): string {
  if (findings.empty) return STORED;
  const origin = sayOrigin(findings.providers.map(({ label }) => label));
  return findings.hasOuterSpace ? `${origin} Surrounding whitespace was removed.` : origin;
}

function sayOrigin([first, ...others]: string[]): string {
  if (first === undefined) return "Not a known provider's key format.";
  return others.length === 0 ? `Looks like a key from ${first}.` : "Several providers use this key format.";
}
