import { join } from 'node:path'
import type { StateFiles } from '../../backends/backend.js'
import { requireSavable } from '../../backends/live/blockers.js'
import { writableDisks } from '../../backends/live/disk-snapshot.js'
import { VmControl } from '../../guest/vm-control.js'
import { withDeadline } from '../../qemu/deadline.js'
import { blockNode } from '../../qemu/machine/block-node.js'
import type { Lock } from '../../store/lock/lock.js'
import type { Draft } from '../../store/objects/draft.js'
import { DETAILS } from '../definitions/types.js'
import { backendFor, type StartedMachine, startMachine } from '../machines/start-machine.js'
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
 * @throws VmStatesError `BUILD_FAILED`, `ABORTED`
 */
export async function buildState(
  task: BuildTask,
  parent: AvailableState,
  options: BuildOptions,
): Promise<AvailableState> {
  const { context, signal } = options
  const took = await lastTook(task, context.store)
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  const log = new BuildLog(task.name)
  let step: BuildStep = 'start'
  const begin = (next: BuildStep) => {
    step = next
    log.add(next)
    context.report({ kind: 'step', state: task.name, step, ...(took && { lastTook: took }) })
  }
  const draft = await context.store.objects.createDraft()
  let machine: StartedMachine | undefined
  try {
    begin('start')
    machine = await startMachine(task.machine, parent, context, { purpose: 'build', signal })
    const build: Build = { ...options, task, parent, draft, log, begin }
    const files = await makeFiles(machine, build)
    await log.addConsole(machine.process)
    await log.writeTo(join(draft.directory, BUILD_LOG_FILE))
    return await commit(build, files, seconds())
  } catch (error) {
    await draft.discard()
    const { store } = context
    const machines = machine === undefined ? [] : [machine.process]
    const failure = await explainFailure({ error, task, step, log, store, machines })
    if (failure instanceof BuildError) {
      context.failures.add(failure)
      const { state, reason, log, screens } = failure.failure
      context.report({ kind: 'failed', state, seconds: seconds(), reason, log, screens })
    }
    throw failure
  } finally {
    await machine?.discard()
  }
}

/** Takes the started machine to the state, and the state to files in the draft. */
async function makeFiles(
  { prepared, process }: StartedMachine,
  { task, parent, draft, log, begin, signal }: Build,
): Promise<StateFiles> {
  const { liveness } = parent.files
  const onCommand = log.commands()
  const control = new VmControl({ machine: task.machine.name, liveness, onCommand })
  control.attach(process, parent.state)
  try {
    if (parent.files.liveness === 'disk') {
      const { readyTimeout } = task.machine[DETAILS].options
      await control.vm.ready({ timeout: readyTimeout, signal })
    }
    if (task.liveness === 'live') {
      // What cannot be saved is found out before the setup, not after it.
      const nodes = writableDisks(prepared.disks).map(blockNode)
      await requireSavable(process.qmp, nodes, task.machine.name)
    }
    begin('setup')
    const setup = Promise.resolve(control.vm).then(task.setup)
    await withDeadline(setup, `the setup of ${task.name}`, { timeout: task.timeout, signal })
    begin('capture')
    if (task.liveness === 'disk' && process.running) {
      await control.vm.shutdown({ timeout: task.shutdownTimeout, signal })
    }
  } finally {
    control.release(`the setup of ${task.name} has ended`)
  }
  const machine = { disks: prepared.disks, process }
  return await backendFor(task.backend).capture(machine, draft.directory)
}

async function commit(
  { task, parent, draft, lock, context }: Build,
  files: StateFiles,
  seconds: number,
): Promise<AvailableState> {
  const { store } = context
  const { key, parts } = task.key
  const meta = writeMeta(
    {
      machine: task.machine.name,
      state: task.state,
      parent: parent.state,
      files,
      ...(parent.directKernel && { directKernel: parent.directKernel }),
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
