import { join } from 'node:path'
import { fileTail } from '../../qemu/machine/file-tail.js'
import type { KeptState } from './kept-states.js'

/** The file, in a member's directory of a kept state, with the end of its serial console. */
export const CONSOLE_FILE = 'console.log'

/** Bytes of it. */
export const MAX_CONSOLE = 256 * 1024

/** The end of a machine's serial console when it was kept; empty where nothing is known. */
export async function consoleTail({ object }: KeptState, member: string): Promise<string> {
  return await fileTail(join(object.directory, member, CONSOLE_FILE), MAX_CONSOLE)
}
