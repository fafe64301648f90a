import type { CommandResult } from './result.js'

/**
 * Told of each command when it begins. It must not throw, and must handle that `result` may reject:
 * with a {@link CommandError}, or another error where the guest says nothing about the command.
 *
 * @param command - as a person would type it
 * @param result - settles when the command has ended, as the call does that ran it
 */
export type OnCommand = (command: string, result: Promise<CommandResult<string | Buffer>>) => void
