import type { Command } from 'commander'
import type { Report } from '../report.js'

/** Adds a command that loads `run` and calls it with the parsed arguments and options. */
export type AddCommand = (
  usage: string,
  description: string,
  configure: (command: Command) => Command,
  run: () => Promise<(...args: never[]) => Promise<Report>>,
) => void

/** Examples under a command's options. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ states ${line}`).join('\n')}`
}

export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}
