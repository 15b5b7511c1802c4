/** The discard and save buttons of an edit. */
import { Button } from "@/components/button/button";

interface DiscardAndSaveProps {
  onDiscard: () => void;
  saving: boolean;
  /** True if there is nothing to discard or save. */
  unchanged?: boolean;
  label?: string;
}

export function DiscardAndSave({ onDiscard, saving, unchanged = false, label = "Save" }: DiscardAndSaveProps) {
  return (
    <>
      <Button disabled={unchanged} onClick={onDiscard}>
        Discard
      </Button>
      <Button type="submit" look="primary" busy={saving} disabled={unchanged}>
        {label}
      </Button>
    </>
  );
}
