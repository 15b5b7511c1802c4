/** Joins class names and leaves out the absent ones, so that components can write conditions in place. */
export function classNames(...names: (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}
