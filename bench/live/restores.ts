import { join } from 'node:path'
import { AgentClient } from '../../src/guest/agent/client.js'
import { GuestError } from '../../src/guest/guest-error.js'
import type { MachineProcess } from '../../src/qemu/machine/machine-process.js'
import { DETAILS, type MachineDefinition, type State } from '../../src/states/definitions/types.js'
import { ensure } from '../../src/states/graph/ensure.js'
import { Handles } from '../../src/states/machines/handles.js'
import { type StartedMachines, startMachines } from '../../src/states/machines/start-machines.js'
import { ByHand } from './by-hand.js'
import { Cleanups } from './cleanups.js'
import { type Configuration, nameOf, titleOf } from './configuration.js'
import { bootFilled } from './filled.js'
import { fillScript, noiseIn } from './guest.js'
import { HandMachine } from './hand-machine.js'
import type { Laboratory } from './laboratory.js'
import { type Course, runInTurn, stopwatch } from './samples.js'

const TAG = 'filled'

/** Milliseconds that a reverted guest's agent gets to answer. */
const WAKE_TIMEOUT = 60_000

/** What sets a guest right that goes on from a snapshot: the time and the random numbers. */
function rightScript(): string {
  const seconds = (Date.now() / 1000).toFixed(3)
  return `date -s @${seconds.split('.')[0]} >/dev/null; echo ${Math.random()} >/dev/urandom`
}

/** Every way to a running machine in a state, in turn, in one configuration. */
export async function measureRestores(
  configuration: Configuration,
  laboratory: Laboratory,
): Promise<void> {
  const prefix = `restore/${titleOf(configuration)}`
  await using cleanups = new Cleanups()
  const { context, definitions } = laboratory
  const name = nameOf(configuration)
  const state = definitions[`${name}_fork`] as State
  const available = await ensure(state, context)
  cleanups.add(() => available.release())
  const directory = join(laboratory.directory, 'by-hand', name)
  const byHand = await ByHand.of(state, available, { context, directory })
  cleanups.add(() => byHand.tidy())
  const courses = [
    ...forkCourses(state, available, laboratory, byHand),
    ...(await snapshotCourses(configuration, laboratory, cleanups)),
    await virshCourse(configuration, laboratory, cleanups),
  ]
  await runInTurn(prefix, courses, laboratory)
}

/** What a start of a machine that has nothing to go on from takes. */
export async function measureBoot(
  configuration: Configuration,
  laboratory: Laboratory,
): Promise<void> {
  const machine = laboratory.definitions[`${nameOf(configuration)}_cold`] as MachineDefinition
  const available = await ensure(machine.root, laboratory.context)
  const boot = ours('boot', machine.root, available, laboratory)
  await runInTurn(`boot/${titleOf(configuration)}`, [boot], laboratory)
  await available.release()
}

type Available = Awaited<ReturnType<typeof ensure>>

/** What there is of a machine before it is asked for: one that is in its state, or one that ran already. */
type There = 'nothing' | 'standby' | 'used'

/** From what is there of a machine to a test's first line. */
function ours(
  name: string,
  state: State,
  available: Available,
  { context }: Laboratory,
  there: There = 'nothing',
): Course {
  let started: StartedMachines | undefined
  const start = async () => {
    started = await startMachines(state, available, context, { purpose: 'test' })
    return started
  }
  return {
    name,
    async prepare() {
      if (there === 'nothing') return
      const { machines, resume } = await start()
      if (there === 'standby') return
      await resume()
      for (const { process } of Object.values(machines)) await answerOf(process)
    },
    async run(): Promise<Record<string, number>> {
      const elapsed = stopwatch()
      const machines = there === 'nothing' ? await start() : (started as StartedMachines)
      if (there === 'used') await rewindAll(machines)
      let cont = 0
      for (const { process } of Object.values(machines.machines)) {
        // QEMU sends it with the answer to `cont`.
        process.qmp.on('RESUME', () => {
          cont ||= elapsed()
        })
      }
      await machines.resume()
      const handles = new Handles(state)
      handles.attach(machines)
      const right = elapsed()
      if (state.liveness === 'disk') {
        for (const member of Object.keys(state[DETAILS].members)) await handles.vm(member).ready()
        return { cont, right: elapsed() }
      }
      handles.release('it was measured')
      for (const { process } of Object.values(machines.machines)) await answerOf(process)
      return { cont, agent: elapsed(), right }
    },
    async cleanUp() {
      await started?.discard()
    },
  }
}

async function rewindAll({ machines }: StartedMachines): Promise<void> {
  const rewound = await Promise.all(Object.values(machines).map((machine) => machine.rewind()))
  if (rewound.includes(false)) throw new Error('a machine did not go back to its state')
}

/** Waits until the agent answers. */
async function answerOf({ agent }: MachineProcess): Promise<void> {
  const client = new AgentClient(agent)
  await client.synchronize()
  client.close(() => new GuestError('GUEST_RELEASED', 'it was measured'))
}

/** A fork restore by hand; `ahead` leaves what can be done before. */
export function forkByHand(name: string, byHand: ByHand, ahead: boolean): Course {
  let machine: HandMachine | undefined
  return {
    name,
    async prepare() {
      if (ahead) machine = await byHand.fork()
    },
    async run() {
      const elapsed = stopwatch()
      machine = ahead ? (machine as HandMachine) : await byHand.fork()
      const loaded = elapsed()
      await machine.monitor.execute('cont')
      const cont = elapsed()
      await machine.ping()
      return { loaded, cont, agent: elapsed() }
    },
    async cleanUp() {
      await machine?.[Symbol.asyncDispose]()
    },
  }
}

function forkCourses(
  state: State,
  available: Available,
  laboratory: Laboratory,
  byHand: ByHand,
): Course[] {
  return [
    forkByHand('fork by hand', byHand, false),
    ours('fork', state, available, laboratory),
    forkByHand('standby by hand', byHand, true),
    ours('standby', state, available, laboratory, 'standby'),
    ours('rewound', state, available, laboratory, 'used'),
  ]
}

/** A machine of QEMU's own snapshots: loaded in place, and by a new process. */
async function snapshotCourses(
  configuration: Configuration,
  laboratory: Laboratory,
  cleanups: Cleanups,
): Promise<Course[]> {
  let { machine, options } = await bootFilled(configuration, laboratory, {
    cleanups,
    folder: 'snapshots',
  })
  cleanups.add(() => machine[Symbol.asyncDispose]())
  await machine.human(`savevm ${TAG}`)
  const finish = async (elapsed: () => number) => {
    await machine.monitor.execute('cont')
    const cont = elapsed()
    await machine.ping()
    const agent = elapsed()
    await machine.run(rightScript())
    return { cont, agent, right: elapsed() }
  }
  return [
    {
      name: 'loadvm',
      async run() {
        const elapsed = stopwatch()
        await machine.monitor.execute('stop')
        await machine.human(`loadvm ${TAG}`)
        return await finish(elapsed)
      },
    },
    {
      name: '-loadvm',
      prepare: () => machine[Symbol.asyncDispose](),
      async run() {
        const elapsed = stopwatch()
        machine = await HandMachine.start(options, ['-loadvm', TAG])
        return await finish(elapsed)
      },
    },
  ]
}

async function virshCourse(
  configuration: Configuration,
  { libvirt, guest }: Laboratory,
  cleanups: Cleanups,
): Promise<Course> {
  const { memory, share } = configuration
  const machine = await libvirt.boot({ name: nameOf(configuration), memory, guest })
  cleanups.add(() => machine[Symbol.asyncDispose]())
  await machine.run(fillScript(noiseIn(memory, share)))
  await machine.snapshot(TAG)
  return {
    name: 'virsh',
    async run() {
      const elapsed = stopwatch()
      await machine.revert(TAG)
      const cont = elapsed()
      await machine.ping(WAKE_TIMEOUT)
      const agent = elapsed()
      await machine.run(rightScript())
      return { cont, agent, right: elapsed() }
    },
  }
}
