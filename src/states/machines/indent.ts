/** Text of a guest's, marked as such on each line. */
export function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  | ${line.trimEnd()}`)
    .join('\n')
}
