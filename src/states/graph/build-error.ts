import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanConsole } from '../../guest/console/tail.js'
import { isCommandError } from '../../guest/exec/command-error.js'
import { GuestError } from '../../guest/guest-error.js'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import type { Store } from '../../store/store.js'
import type { BuildLog } from './build-log.js'
import type { BuildTask } from './build-task.js'
import type { BuildStep } from './progress.js'

const FAILED: Readonly<Record<BuildStep, string>> = {
  start: 'the machine did not start',
  setup: 'its setup failed',
  capture: 'the machine could not be captured',
}

const CONSOLE_BYTES = 2000

/** Characters of a command's error output in an error; the log has all of it. */
const SAID = 1000

/** A build that failed. */
export interface FailedBuild {
  error: unknown
  task: BuildTask
  step: BuildStep
  log: BuildLog
  store: Store
  /** The machine, if it was started and its directory is still there. */
  process: MachineProcess | undefined
}

/**
 * The error of a build that failed: the state, the step, the end of what the command and the
 * console said, and the path of the log, which is kept until the state's next failure. A cancelled build is only that.
 */
export async function buildError(failed: FailedBuild): Promise<VmStatesError> {
  const { error, task, step, process } = failed
  if (isVmStatesError(error, 'ABORTED')) return error
  const why = explain(error)
  const log = await keepLog(failed)
  const tail = error instanceof GuestError ? error.consoleTail : await consoleTail(process)
  const said = isCommandError(error) ? cleanConsole(String(error.stderr)).slice(-SAID) : ''
  const hints = [
    ...(said === '' ? [] : [`The end of its error output:\n${indent(said)}`]),
    ...(tail === '' ? [] : [`The end of its console:\n${indent(tail)}`]),
    ...(log === undefined ? [] : [`The whole log: ${log}`]),
  ]
  return new VmStatesError(
    'BUILD_FAILED',
    `${task.name} could not be built: ${FAILED[step]}: ${why}`,
    { hint: hints.join('\n  '), cause: error },
  )
}

function explain(error: unknown): string {
  if (error instanceof GuestError) return error.shortMessage
  return error instanceof Error ? error.message : String(error)
}

/** A log that cannot be kept must not hide why the build failed. */
async function keepLog(failed: FailedBuild): Promise<string | undefined> {
  const { error, task, log, store, process } = failed
  if (process !== undefined) await log.addConsole(process)
  log.add(error instanceof Error ? (error.stack ?? error.message) : String(error))
  const directory = join(store.root, 'logs')
  const file = join(directory, `${task.name.replaceAll(/[/ ]/g, '.')}.log`)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await log.writeTo(file)
    return file
  } catch {
    return undefined
  }
}

async function consoleTail(process: MachineProcess | undefined): Promise<string> {
  return cleanConsole((await process?.consoleTail(CONSOLE_BYTES)) ?? '')
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  | ${line.trimEnd()}`)
    .join('\n')
}
