import type { MachineProcess } from '../../src/qemu/machine/machine-process.js'
import { includeSharedRam } from '../../src/qemu/migration/device-state.js'
import type { State } from '../../src/states/definitions/types.js'
import { ensure } from '../../src/states/graph/ensure.js'
import { captureAndContinue } from '../../src/states/machines/capture-and-continue.js'
import { type StartedMachines, startMachines } from '../../src/states/machines/start-machines.js'
import type { Draft } from '../../src/store/objects/draft.js'
import { Cleanups } from './cleanups.js'
import { type Configuration, nameOf, titleOf } from './configuration.js'
import type { Laboratory } from './laboratory.js'
import { type Course, runInTurn, stopwatch } from './samples.js'

const TAG = 'saved'

/** How long guests stand still, and how long it takes until a state is kept, while the guest goes on. */
export async function measureSaves(
  configuration: Configuration,
  laboratory: Laboratory,
): Promise<void> {
  await using cleanups = new Cleanups()
  const courses = [
    await forkCourse(configuration, laboratory, cleanups),
    await savevmCourse(configuration, laboratory, cleanups),
  ]
  await runInTurn(`save/${titleOf(configuration)}`, courses, laboratory)
}

async function forkCourse(
  configuration: Configuration,
  { context, definitions }: Laboratory,
  cleanups: Cleanups,
): Promise<Course> {
  const state = definitions[`${nameOf(configuration)}_fork`] as State
  const available = await ensure(state, context)
  cleanups.add(() => available.release())
  let machines: StartedMachines
  let draft: Draft
  return {
    name: 'fork',
    async prepare() {
      draft = await context.store.objects.createDraft()
      machines = await startMachines(state, available, context, { purpose: 'live' })
      await machines.resume()
    },
    async run() {
      const elapsed = stopwatch()
      const { directory } = draft
      const kept = await captureAndContinue(state, machines, { available, directory, context })
      machines = kept.started
      const copied = elapsed()
      const { id } = await draft.commit({ key: 'bench' })
      const whole = elapsed()
      await context.store.objects.remove(id)
      return { still: kept.stoodStill, copied, whole }
    },
    cleanUp: () => machines.discard(),
  }
}

/**
 * Into the overlay that such a machine has when it is set first, as ours is: a file that grows. Once more, into
 * the clusters that the first left, needs no new memory of the host's for the file.
 */
async function savevmCourse(
  configuration: Configuration,
  { context, definitions }: Laboratory,
  cleanups: Cleanups,
): Promise<Course> {
  const state = definitions[`${nameOf(configuration)}_fork`] as State
  const available = await ensure(state, context)
  cleanups.add(() => available.release())
  let machines: StartedMachines
  return {
    name: 'savevm',
    async prepare() {
      machines = await startMachines(state, available, context, { purpose: 'live' })
      for (const { process } of Object.values(machines.machines)) {
        await includeSharedRam(process.qmp)
      }
      await machines.resume()
    },
    async run() {
      const whole = await savevm(machines)
      const again = await savevm(machines)
      return { still: whole, whole, again }
    },
    cleanUp: () => machines.discard(),
  }
}

/** @returns the milliseconds that it took */
async function savevm({ machines }: StartedMachines): Promise<number> {
  const elapsed = stopwatch()
  for (const { process } of Object.values(machines)) await human(process, `savevm ${TAG}`)
  const whole = elapsed()
  for (const { process } of Object.values(machines)) await human(process, `delvm ${TAG}`)
  return whole
}

/** A command of the human monitor that says nothing where it succeeds. */
async function human({ qmp }: MachineProcess, line: string): Promise<void> {
  const said = await qmp.execute('human-monitor-command', { 'command-line': line })
  if (said !== '') throw new Error(`${line}: ${said}`)
}
