/**
 * Replaces what differs from run to run in a command's output: instants, ages, durations, ids, cursors, keys, folders
 * and ports. Cells of a table keep their width.
 */
export function normalized(text: string, dir: string): string {
  return text
    .replaceAll(dir, "DIR")
    .replace(/DIR\/tierkeep-demo-\w{6}/g, "DIR/tierkeep-demo-XXXXXX")
    .replace(/\b\d{4}-\d\d-\d\d(?!\d)/g, "2026-01-01")
    .replace(/\bsigned=[\w.-]+/g, "signed=SIGNED")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:4000")
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, "2026-01-01 00:00:00Z")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "2026-01-01T00:00:00.000Z")
    .replace(/\b[\w-]{40,}\b/g, (id) => "id".padEnd(id.length, "-"))
    .replace(/"cursor":"[\w-]{22}"/g, '"cursor":"CURSOR"')
    .replace(/"duration_seconds":\d[\d.e-]*/g, '"duration_seconds":1.5')
    .replace(/\b[0-9a-f]{16}\b/g, "0123456789abcdef")
    .replace(/ {2,}\d+(\.\d+)? (ms|s|min)$/gm, "  TIME")
    .replace(/ {2,}\d+(\.\d+)? (ms|s|min)\b/g, ({ length }) => "TIME".padStart(length))
    .replace(/\b\d+(\.\d+)? (ms|s|min)\b/g, "TIME")
    .replace(/\b(report|model)-[abc]\./g, "$1-x.")
    .replace(/\b(backup|snapshot)-[abc]\b/g, "$1-x");
}
