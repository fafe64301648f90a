import type { ParsedMachineOptions } from '../../params/machine.js'
import type { Emulator } from '../graph/emulator.js'

/** A machine of a kept state, as its definition was: there may be none any more. */
export interface KeptMachine {
  /** The name of the machine's definition. */
  name: string
  /** Functions among them are not kept. */
  options: Omit<ParsedMachineOptions, 'afterRestore' | 'ready'>
  /** What ran it, and alone can go on with it. */
  emulator: Pick<Emulator, 'binary' | 'version' | 'accelerator'>
}

/** The failed test whose machines were kept. */
export interface FailedTest {
  /** Vitest's, which tells tests of one name apart, also in several projects. */
  id: string
  /** Absolute path of its file. */
  file: string
  /** With its suites, and without its file. */
  fullName: string
  /** From 1 on. */
  attempt: number
  /** The first line of its error. */
  error: string
}

/** What is known of a state that nobody defined: machines as they were at one moment. */
export interface KeptMoment {
  /** By member. */
  machines: Readonly<Record<string, KeptMachine>>
  /** The state that the machines were started in, as people call it. */
  from: string
  /** Whether it is one machine, or machines by the names of an environment's members. */
  kind: 'state' | 'environment-state'
  test?: FailedTest
}

/** The owner, in names, of what failed tests left: `failed/serves-the-page-1`. */
export const FAILED = 'failed'

/** The owner, in names, of what people kept: `kept/before-the-upgrade`. */
export const KEPT = 'kept'

/** Whether names of an owner are those of kept states, unless a machine is called so. */
export function isKeptOwner(owner: string): boolean {
  return owner === FAILED || owner === KEPT
}
