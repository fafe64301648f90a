import { inspect } from 'node:util'
import { isNativeError } from 'node:util/types'
import { withoutConversation } from '../../guest/console/shell/conversation.js'
import { GuestError } from '../../guest/guest-error.js'
import { isVmStatesError, type VmStatesError } from '../../params/errors.js'
import { cleanConsole } from '../../qemu/machine/clean-console.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import type { Store } from '../../store/store.js'
import { indent } from '../machines/indent.js'
import { BuildError } from './build-error.js'
import type { BuildLog } from './build-log.js'
import type { BuildTask } from './build-task.js'
import { type FailureFiles, keepFailure } from './failure-files.js'
import type { BuildStep } from './progress.js'

const FAILED: Readonly<Record<BuildStep, string>> = {
  start: 'the machine did not start',
  boot: 'the machine did not get ready',
  setup: 'its setup failed',
  capture: 'the machine could not be captured',
}

/** Lines of the log, and bytes of each console, that an error shows. */
const SHOWN = { lines: 20, consoleBytes: 2000 }

/** A build that failed. */
export interface FailedBuild {
  error: unknown
  task: BuildTask
  step: BuildStep
  log: BuildLog
  store: Store
  /** The machines that were started and whose directories are still there. */
  machines: readonly MachineProcess[]
}

/**
 * The error of a build that failed: the state, the step, the end of what the setup ran and of what the
 * console said, and the path of the log, which is kept until the state's next failure or success. A
 * cancelled build is only that.
 */
export async function explainFailure(failed: FailedBuild): Promise<VmStatesError> {
  const { error, task, step, log, machines } = failed
  if (isVmStatesError(error, 'ABORTED')) return error
  const tails = machines.map(async (machine) => {
    const text = cleanConsole(withoutConversation(await machine.consoleTail(SHOWN.consoleBytes)))
    return text === '' ? [] : [`The end of ${machine.options.name}'s console:\n${indent(text)}`]
  })
  const consoles = (await Promise.all(tails)).flat()
  const kept = await keep(failed)
  const advice = error instanceof GuestError ? error.hint : undefined
  const hint = [
    ...(advice === undefined ? [] : [advice]),
    `The end of the log:\n${indent(log.tail(SHOWN.lines))}`,
    ...consoles,
    ...(kept?.screens ?? []).map((screen) => `Its last screen: ${screen}`),
    ...(kept === undefined ? [] : [`The whole log: ${kept.log}`]),
  ].join('\n  ')
  const reason = `${FAILED[step]}: ${explain(error)}`
  const failure = { state: task.name, key: task.key.key, step, reason, hint, ...kept }
  return new BuildError(failure, { cause: error })
}

function explain(error: unknown): string {
  if (error instanceof GuestError) return error.shortMessage
  return isError(error) ? error.message : showThrown(error)
}

/** An error for the log, which has the console anyway. Only a setup has frames of somebody else's code. */
function withFrames(error: unknown, step: BuildStep): string {
  if (isVmStatesError(error) && step !== 'setup') return explain(error)
  if (!(error instanceof GuestError)) {
    return isError(error) ? (error.stack ?? error.message) : showThrown(error)
  }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ +at /.test(line))
  return [`${error.name}: ${error.shortMessage}`, ...frames].join('\n')
}

/** Also of another realm, as Node's own errors are in Vitest's VM pools. */
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || isNativeError(thrown)
}

/** What a setup threw that is no error. Not by its own `toString`, which may be missing, or throw. */
function showThrown(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown
  return inspect(thrown, { customInspect: false, depth: 1, breakLength: Number.POSITIVE_INFINITY })
}

/** A log that cannot be kept must not hide why the build failed. */
async function keep(failed: FailedBuild): Promise<FailureFiles | undefined> {
  const { error, task, step, log, store, machines } = failed
  for (const machine of machines) await log.addConsole(machine)
  log.add(withFrames(error, step))
  try {
    return await keepFailure(store, task.name, log, machines)
  } catch {
    return undefined
  }
}
