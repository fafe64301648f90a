import { isAbsolute } from 'node:path'
import { isUint8Array } from 'node:util/types'
import { z } from 'zod'
import { VmStatesError } from '../../params/errors.js'
import { formatSize } from '../../params/format-size.js'
import { anySchema, callbackSchema, optionsSchema, signalSchema } from '../../params/options.js'
import { parse, showValue } from '../../params/parse.js'
import type { OnOutput } from './sink.js'

/** How a command in the guest runs. */
export interface ExecOptions {
  /** What the command reads from its standard input, at most 32 MiB; nothing by default. */
  stdin?: string | Uint8Array | undefined
  /** Variables added to the environment that the guest agent has. */
  env?: Readonly<Record<string, string>> | undefined
  /** An absolute path in the guest; the agent's own, mostly `/`, by default. */
  cwd?: string | undefined
  /**
   * Milliseconds until the command's process group is killed and the call rejects; none by default. A guest
   * that does not answer is waited for 2 seconds more, over ssh 5, over its console 10.
   */
  timeout?: number | undefined
  /** Kills the command's process group and rejects the call when it fires. */
  signal?: AbortSignal | undefined
  /** A user of the guest to run as, with their groups and `HOME`; the channel's own, mostly root, by default. */
  user?: string | undefined
  /**
   * Called with standard output as it comes, while the command runs (over the console, when it has ended): bytes, of any amount. The result
   * then has none. What it throws kills the command and rejects the call.
   */
  onStdout?: OnOutput | undefined
  /** The same with standard error. */
  onStderr?: OnOutput | undefined
  /** Whether output is text (invalid UTF-8 replaced, a final newline stripped) or bytes as they are. */
  encoding?: 'utf8' | 'buffer' | undefined
  /**
   * Whether an exit code other than 0 rejects; `true` by default. With `false` it resolves. What ends
   * a command from outside (a timeout, truncated output, a dead machine) rejects in any case.
   */
  reject?: boolean | undefined
}

/**
 * Agents refuse a message with a text of more than 64 MiB (QEMU 7.2: "JSON token size limit
 * exceeded"), which is 48 MiB in base64, and hold several copies of it in the guest's RAM.
 */
const MAX_STDIN = 32 * 2 ** 20

/** Bytes that Linux takes in one argument at most (MAX_ARG_STRLEN, less its end). */
const MAX_ARGUMENT = 131_071

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

/** As strict as a shell's `~user` needs it. */
const USER = /^[A-Za-z_][\w.-]*\$?$/

function invalid(path: string, value: unknown, right: string, hint?: string): VmStatesError {
  return new VmStatesError('INVALID_VALUE', `${path} is ${showValue(value)}: ${right}`, { hint })
}

function checkText(path: string, value: unknown): void {
  if (typeof value !== 'string') throw invalid(path, value, 'it must be text')
  if (value.includes('\0')) throw invalid(path, value, 'it cannot hold a NUL character')
}

const EXEC_OPTIONS = optionsSchema({
  stdin: z
    .custom<string | Uint8Array>(
      (value) => typeof value === 'string' || isUint8Array(value),
      'it must be text or bytes',
    )
    .optional(),
  env: anySchema,
  cwd: anySchema,
  timeout: anySchema,
  signal: signalSchema.optional(),
  user: anySchema,
  onStdout: callbackSchema.optional(),
  onStderr: callbackSchema.optional(),
  encoding: z.enum(['utf8', 'buffer'], 'it is "utf8" or "buffer"').optional(),
  reject: z.boolean('it is true or false').optional(),
})

/** Checks a number of milliseconds. */
export function checkTimeout(path: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isFinite(value) && value > 0 && value < 2 ** 31)) {
    throw invalid(path, value, 'a timeout is a number of milliseconds above 0 and below 2^31')
  }
}

/** Checks an absolute path in the guest. */
export function checkGuestPath(path: string, value: unknown): void {
  checkText(path, value)
  if (!isAbsolute(value as string)) throw invalid(path, value, 'it must be an absolute path')
}

function checkArgument(path: string, arg: unknown): void {
  checkText(path, arg)
  const bytes = Buffer.byteLength(arg as string)
  if (bytes <= MAX_ARGUMENT) return
  const text = `${path} has ${bytes} bytes: Linux takes at most ${MAX_ARGUMENT} in one argument, or script`
  const hint = 'Write it to a file of the guest with vm.writeFile, or give it as stdin.'
  throw new VmStatesError('INVALID_VALUE', text, { hint })
}

/**
 * Checks a command before anything is sent to the guest.
 *
 * @throws VmStatesError `INVALID_VALUE`
 */
export function checkCommand(file: string, args: readonly string[], options: ExecOptions): void {
  checkText('exec.file', file)
  if (file === '') throw invalid('exec.file', file, 'it must name a program in the guest')
  if (!Array.isArray(args)) throw invalid('exec.args', args, 'it must be an array of texts')
  args.forEach((arg, index) => {
    checkArgument(`exec.args[${index}]`, arg)
  })
  parse(EXEC_OPTIONS, options, 'exec.options')
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (!VARIABLE.test(name)) throw invalid('exec.options.env', name, 'not a name of a variable')
    checkText(`exec.options.env.${name}`, value)
  }
  if (options.cwd !== undefined) checkGuestPath('exec.options.cwd', options.cwd)
  const { user } = options
  if (user !== undefined && !(typeof user === 'string' && USER.test(user))) {
    throw invalid('exec.options.user', user, 'it must be the name of a user')
  }
  checkTimeout('exec.options.timeout', options.timeout)
  if (options.stdin !== undefined && stdinBytes(options.stdin).length > MAX_STDIN) {
    throw invalid(
      'exec.options.stdin',
      formatSize(stdinBytes(options.stdin).length),
      `at most ${formatSize(MAX_STDIN)} fit into one message to the guest agent`,
      'vm.writeFile has no such limit: write a file, and let the command read that',
    )
  }
}

/** Standard input as bytes, without a copy where it is bytes already. */
export function stdinBytes(stdin: string | Uint8Array): Buffer {
  return typeof stdin === 'string'
    ? Buffer.from(stdin)
    : Buffer.from(stdin.buffer, stdin.byteOffset, stdin.byteLength)
}
