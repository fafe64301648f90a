import { join } from 'node:path'
import { monotonic } from '../../params/clocks.js'
import { tracer } from '../../params/trace.js'
import { withDeadline } from '../../qemu/deadline.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import type { Lock } from '../../store/lock/lock.js'
import type { Draft } from '../../store/objects/draft.js'
import { admitMachines } from '../admission/admit-machines.js'
import { eachMember } from '../definitions/each-member.js'
import { DETAILS } from '../definitions/types.js'
import { type InputParts, requireSameFiles } from '../keys/inputs.js'
import { awaitReady, boots } from '../machines/await-ready.js'
import {
  type CapturedMachines,
  captureMachines,
  requireAllSavable,
} from '../machines/capture-machines.js'
import { ensureWakers } from '../machines/ensure-wakers.js'
import { Handles } from '../machines/handles.js'
import { type StartedMachines, startMachines } from '../machines/start-machines.js'
import type { AvailableState } from './available-state.js'
import { BuildError } from './build-error.js'
import { BUILD_LOG_FILE, BuildLog } from './build-log.js'
import type { BuildTask } from './build-task.js'
import type { Context } from './context.js'
import { explainFailure } from './explain-failure.js'
import { forgetFailure } from './failure-files.js'
import { availableState } from './find-state.js'
import { lastTook } from './last-took.js'
import type { BuildStep } from './progress.js'
import { readMeta, writeMeta } from './state-meta.js'

const trace = tracer('build')

export interface BuildOptions {
  context: Context
  /** The lock of the state's key. */
  lock: Lock
  signal: AbortSignal | undefined
}

/** A build that is under way. */
interface Build extends BuildOptions {
  task: BuildTask
  parent: AvailableState
  draft: Draft
  log: BuildLog
  begin(step: BuildStep): void
}

/**
 * Builds a state on its parent, and puts it into the store: all of it or nothing.
 *
 * @throws VmStatesError `BUILD_FAILED`, `MACHINE_TOO_LARGE`, `ABORTED`
 */
export async function buildState(
  task: BuildTask,
  parent: AvailableState,
  options: BuildOptions,
): Promise<AvailableState> {
  const { context, signal } = options
  const share = await admitMachines(task.parent, task.name, context, { signal, isForBuild: true })
  try {
    return await buildAdmitted(task, parent, options)
  } finally {
    await share.release()
  }
}

async function buildAdmitted(
  task: BuildTask,
  parent: AvailableState,
  options: BuildOptions,
): Promise<AvailableState> {
  const { context, signal } = options
  const took = await lastTook(task, context.store)
  const startedAt = monotonic()
  const seconds = () => (monotonic() - startedAt) / 1000
  const log = new BuildLog(task.name)
  let step: BuildStep = 'start'
  const begin = (next: BuildStep, detail?: string) => {
    step = next
    log.add(detail === undefined ? next : `${next}: ${detail}`)
    trace('%s: %s on %s', task.name, next, parent.name)
    const told = { ...(detail && { detail }), ...(took && { lastTook: took }) }
    context.report({ kind: 'step', state: task.name, step, ...told })
  }
  const draft = await context.store.objects.createDraft()
  let started: StartedMachines | undefined
  try {
    begin('start', isBoot(parent) ? `from ${parent.name}` : undefined)
    started = await startMachines(task.parent, parent, context, {
      purpose: task.liveness,
      signal,
    })
    const build: Build = { ...options, task, parent, draft, log, begin }
    const captured = await makeFiles(started, build)
    for (const machine of processesOf(started)) await log.addConsole(machine)
    await log.writeTo(join(draft.directory, BUILD_LOG_FILE))
    return await commit(build, captured, seconds())
  } catch (error) {
    await draft.discard()
    const { store } = context
    const machines = processesOf(started)
    const failure = await explainFailure({ error, task, step, log, store, machines })
    if (failure instanceof BuildError) {
      context.failures.add(failure)
      const { state, reason, log, screens } = failure.failure
      context.report({ kind: 'failed', state, seconds: seconds(), reason, log, screens })
    }
    throw failure
  } finally {
    await started?.discard()
  }
}

/** Takes the started machines to the state, and the state to files in the draft. */
async function makeFiles(
  started: StartedMachines,
  { task, parent, draft, log, begin, signal }: Build,
): Promise<CapturedMachines> {
  const handles = new Handles(task.parent, (label) => log.commands(label))
  handles.attach(started)
  try {
    await started.resume(signal)
    if (boots(parent)) {
      begin('boot')
      await awaitReady(task.parent, parent, handles, signal)
    }
    const hasSetup = task.state !== 'boot'
    if (!hasSetup) begin('capture')
    // What cannot be saved is found out before the setup, not after it.
    if (task.liveness === 'live') await requireAllSavable(started, task.backend)
    if (hasSetup) begin('setup')
    const setup = Promise.resolve(handles.held).then(task.setup)
    await withDeadline(setup, `the setup of ${task.name}`, { timeout: task.timeout, signal })
    await requireSameInputs(task)
    if (hasSetup) begin('capture')
    if (task.liveness === 'disk') await shutDown(started, handles, task.shutdownTimeout, signal)
  } finally {
    handles.release(`the setup of ${task.name} has ended`)
  }
  if (task.liveness === 'live') await ensureWakers(started)
  return await captureMachines(started, task.backend, draft.directory, parent)
}

async function requireSameInputs({ key, definition }: BuildTask): Promise<void> {
  const { files } = key.parts as Partial<InputParts>
  const { options, origin } = definition[DETAILS]
  if (files !== undefined) await requireSameFiles(files, options.inputs, origin)
}

function isBoot({ members }: AvailableState): boolean {
  return Object.values(members).some((member) => member.isBoot)
}

function processesOf(started: StartedMachines | undefined): MachineProcess[] {
  return Object.values(started?.machines ?? {}).map(({ process }) => process)
}

/** All at once. A setup may have done it for some. */
async function shutDown(
  { machines }: StartedMachines,
  handles: Handles,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  await eachMember(machines, async ({ process }, member) => {
    if (process.running) await handles.vm(member).shutdown({ timeout, signal })
  })
}

async function commit(
  { task, parent, draft, lock, context }: Build,
  { files, skew, hostKeys }: CapturedMachines,
  seconds: number,
): Promise<AvailableState> {
  const { store } = context
  const { key, parts } = task.key
  // All but the files is as it was.
  const members = Object.entries(files).map(([member, files]) => [
    member,
    { ...parent.members[member], files, hostKey: hostKeys[member] },
  ])
  const meta = writeMeta(
    {
      owner: task.owner,
      state: task.state,
      parent: task.parent.name,
      liveness: task.liveness,
      members: Object.fromEntries(members),
      ...(members.length > 1 && skew !== undefined && { skew }),
      bases: parent.bases,
      parts,
      seconds,
      worth: parent.worth + seconds,
    },
    draft.directory,
  )
  const lease = await draft.lease()
  try {
    const object = await draft.commit({ key, parents: parent.objects, meta }, { lock })
    await store.keys.point(key, object.id)
    await forgetFailure(store, task.name)
    context.report({ kind: 'built', state: task.name, seconds })
    const kept = readMeta(object)
    if (kept === undefined) throw new Error(`the manifest of ${task.name} cannot be read back`)
    return { ...availableState({ object, meta: kept }, lease), builtIn: seconds }
  } catch (error) {
    await lease.release()
    throw error
  }
}
