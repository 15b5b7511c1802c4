/** A file of the user's, by a button that looks like the others: a browser's own file input cannot be styled. */
import { FileUp } from "lucide-react";
import { useRef, type ChangeEvent, type ComponentProps } from "react";
import { Button } from "@/components/button/button";

interface FileButtonProps extends Omit<ComponentProps<typeof Button>, "icon" | "onClick"> {
  /** What the file is, for tests and tools that find the hidden input. */
  label: string;
  /** The kinds of files that are offered, as in HTML. */
  accept: string;
  onChoose: (file: File) => void;
}

export function FileButton({ label, accept, onChoose, ...rest }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const choose = ({ target }: ChangeEvent<HTMLInputElement>) => {
    const [file] = target.files ?? [];
    if (file) onChoose(file);
    // The same file can be chosen again.
    target.value = "";
  };
  return (
    <>
      <input ref={input} type="file" accept={accept} hidden aria-label={label} onChange={choose} />
      <Button {...rest} icon={FileUp} onClick={() => input.current?.click()} />
    </>
  );
}
