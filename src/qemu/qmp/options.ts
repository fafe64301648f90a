import type { Patience } from '../deadline.js'
import type { QmpEvent } from './message.js'

/** The arguments of a QMP command, as QEMU's reference manual lists them. */
export type QmpArguments = Readonly<Record<string, unknown>>

/** What to wait for: the first event of a name that also matches. */
export interface WaitForEventOptions extends Patience {
  match?: (event: QmpEvent) => boolean
}
