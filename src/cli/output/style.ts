import { styleText } from 'node:util'

/** Colours as people and continuous integration expect them: only on a terminal. */
export function hasColors(
  stream: { isTTY?: boolean },
  environment: NodeJS.ProcessEnv = process.env,
): boolean {
  if (environment.NO_COLOR) return false
  if (environment.FORCE_COLOR) return environment.FORCE_COLOR !== '0'
  return stream.isTTY === true && environment.TERM !== 'dumb'
}

/** What a text is, rather than what it looks like. */
export type Role = 'heading' | 'faint' | 'good' | 'bad' | 'warning'

const FORMATS = {
  heading: 'bold',
  faint: 'dim',
  good: 'green',
  bad: 'red',
  warning: 'yellow',
} as const satisfies Record<Role, Parameters<typeof styleText>[0]>

/** A text in the style of its role, or as it is where there are no colours. */
export function style(role: Role, text: string, colors: boolean): string {
  return colors ? styleText(FORMATS[role], text) : text
}
