import type { State } from '../../src/states/definitions/types.js'
import { ensure } from '../../src/states/graph/ensure.js'
import { captureAndContinue } from '../../src/states/machines/capture-and-continue.js'
import { type StartedMachines, startMachines } from '../../src/states/machines/start-machines.js'
import type { Draft } from '../../src/store/objects/draft.js'
import { Cleanups } from './cleanups.js'
import { type Configuration, nameOf, titleOf } from './configuration.js'
import { bootFilled } from './filled.js'
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

async function savevmCourse(
  configuration: Configuration,
  laboratory: Laboratory,
  cleanups: Cleanups,
): Promise<Course> {
  const { machine } = await bootFilled(configuration, laboratory, { cleanups, folder: 'saves' })
  cleanups.add(() => machine[Symbol.asyncDispose]())
  return {
    name: 'savevm',
    async run() {
      const elapsed = stopwatch()
      await machine.human(`savevm ${TAG}`)
      const whole = elapsed()
      await machine.human(`delvm ${TAG}`)
      return { still: whole, whole }
    },
  }
}
