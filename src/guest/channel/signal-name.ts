import { constants } from 'node:os'

const NAMES = new Map<number, string>(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
)

/** The name of a signal by its number. */
export function signalName(number: number): string {
  return NAMES.get(number) ?? `signal ${number}`
}
