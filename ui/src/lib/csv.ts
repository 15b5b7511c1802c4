/**
 * Writes tables as CSV that no spreadsheet executes: a cell that begins like a formula gets a leading apostrophe. This
 * is a security measure: model names and errors come from other people's servers.
 */
import { FORMULA_STARTS } from "@/lib/tables";

const NEEDS_QUOTES = /[",\r\n]/;

export type CsvCell = string | number | null;

/** Header and rows with CRLF line ends (RFC 4180). Numbers are written unchanged; missing values are empty. */
export function toCsv(header: string[], rows: CsvCell[][]): string {
  return [header, ...rows]
    .map((row) => row.map(csvCell).join(","))
    .join("\r\n")
    .concat("\r\n");
}

function csvCell(value: CsvCell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const guarded = FORMULA_STARTS.some((start) => value.startsWith(start)) ? `'${value}` : value;
  return NEEDS_QUOTES.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
