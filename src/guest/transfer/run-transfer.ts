import { Transform } from 'node:stream'
import { isVmStatesError } from '../../params/errors.js'
import { anySchema, callbackSchema, optionsSchema, signalSchema } from '../../params/options.js'
import { parse } from '../../params/parse.js'
import { type Patience, withDeadline } from '../../qemu/deadline.js'
import type { Channel, Program, ProgramStatus } from '../channel/channel.js'
import { killProgram } from '../exec/kill.js'
import { checkTimeout } from '../exec/options.js'
import { GuestError } from '../guest-error.js'
import { CallerFailure, isLeft } from './host-error.js'

/** How files are moved between host and guest. */
export interface TransferOptions extends Patience {
  /** Called as they move, with the bytes that have. */
  onProgress?: ((bytes: number) => void) | undefined
}

const TRANSFER_OPTIONS = optionsSchema({
  onProgress: callbackSchema.optional(),
  timeout: anySchema,
  signal: signalSchema.optional(),
})

/** @throws VmStatesError `INVALID_VALUE` */
export function checkTransfer(what: string, options: TransferOptions): void {
  parse(TRANSFER_OPTIONS, options, `${what}.options`)
  checkTimeout(`${what}.options.timeout`, options.timeout)
}

/** Hands on what it is given, and tells how much that was. */
export function meter(onProgress: TransferOptions['onProgress']): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      try {
        onProgress?.(bytes)
        done(null, chunk)
      } catch (error) {
        done(new CallerFailure(error))
      }
    },
  })
}

/** What the program in the guest had nothing to say of. */
function brokenOff(error: unknown): never {
  if (!isLeft(error)) throw error
  const { message } = error as Error
  throw new GuestError('GUEST_FILE_FAILED', `it was broken off: ${message}`, { cause: error })
}

/** What a transfer consists of. */
interface Transfer {
  /** For the error of one that is stopped. */
  what: string
  /** The guest's side. */
  program: Program
  /** The host's side. */
  host: Promise<void>
  /** Run in the guest after the program was killed, which could not do it itself. */
  undo?: Program
}

/**
 * Runs the guest's side of a transfer until the host's has ended too. Where either fails, or it is stopped,
 * the program in the guest is killed.
 *
 * @throws what the host's side throws, unless the program failed first; VmStatesError `TIMEOUT`, `ABORTED`
 */
export async function runTransfer(
  channel: Channel,
  { what, program, host, undo }: Transfer,
  { timeout, signal }: Patience,
): Promise<ProgramStatus> {
  const started = channel.start(program, { killable: true })
  // A host's side that ends early has been left by a program that says why.
  const hostFailed = host.then(
    () => new Promise<never>(() => {}),
    (error: unknown) => {
      if (isLeft(error)) return new Promise<never>(() => {})
      throw error
    },
  )
  const ended = started.then((running) => running.ended)
  const both = Promise.race([ended, hostFailed]).then(async (status) => {
    if (status.exitCode === 0) await host.catch(brokenOff)
    return status
  })
  try {
    return await withDeadline(both, what, { timeout, signal })
  } catch (error) {
    const status = await killProgram(started, channel.killTimeout)
    if (status !== undefined && undo !== undefined) {
      const undone = channel.start(undo).then((running) => running.ended)
      await withDeadline(undone, 'cleaning up', { timeout: channel.killTimeout }).catch(() => {})
    }
    if (status !== undefined || !isVmStatesError(error, 'TIMEOUT')) throw error
    const message = `${what} did not end within ${timeout} ms, in a guest that does not answer`
    throw new GuestError('TIMEOUT', message, { cause: error })
  }
}
