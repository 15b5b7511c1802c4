/**
 * Holds the panel to its budget: under one `useEffect` for each 1,000 lines, no polling, no `any` in a cast.
 * A linter counts per file; these are sums over the whole panel. And the generated contract is taken as types
 * everywhere but in the window's host, because its values reach Tauri; and `ipc` draws nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const files = readdirSync("src", { recursive: true })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) && !name.endsWith("bindings.ts"))
  .map((name) => ({ name, text: readFileSync(join("src", name), "utf8") }));
const lines = files.reduce((sum, file) => sum + file.text.split("\n").length, 0);
const effects = files.reduce((sum, file) => sum + (file.text.match(/use(Layout)?Effect\(/g) ?? []).length, 0);
const faults = files
  .filter((file) => /refetchInterval|setInterval\(|dangerouslySetInnerHTML|innerHTML/.test(file.text))
  .map((file) => `${file.name}: polling or raw HTML`)
  .filter((fault) => !fault.startsWith("lib/clock.ts"));
for (const { name, text } of files)
  if (name !== "ipc/tauri-host.ts" && /^import (?!type )[^;]*"(@\/ipc|\.)\/bindings"/m.test(text))
    faults.push(`${name}: takes values from the generated contract; only ipc/tauri-host.ts may`);
for (const { name } of files)
  if (name.startsWith("ipc/") && name.endsWith(".tsx"))
    faults.push(`${name}: a component; those that talk to the core are in connected/ or their feature`);
if (effects * 1000 >= lines)
  faults.push(`${effects} effects in ${lines} lines: the budget is under one for each 1,000`);
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`${files.length} files, ${lines} lines, ${effects} effects`);
