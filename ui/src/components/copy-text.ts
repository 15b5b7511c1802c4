/** Copies a text to the clipboard, and tells by a toast whether it did. */
import { notify } from "@/components/toast";

/** `what` as inside a sentence: `the gateway address`. */
export function copyText(text: string, what: string): void {
  navigator.clipboard.writeText(text).then(
    () => notify({ title: `Copied ${what}` }),
    () => notify({ tone: "bad", title: `Could not copy ${what}` }),
  );
}
