import { join } from 'node:path'
import { AgentClient } from '../src/guest/agent/client.js'
import { GuestError } from '../src/guest/guest-error.js'
import type { Vm } from '../src/guest/vm.js'
import { image } from '../src/images/image.js'
import type { MachineProcess } from '../src/qemu/machine/machine-process.js'
import type { QmpClient } from '../src/qemu/qmp/client.js'
import { machine } from '../src/states/definitions/machine.js'
import { Context } from '../src/states/graph/context.js'
import { type MachinesInHand, openMachines } from '../src/states/machines/machines-in-hand.js'
import type { Comparison } from './comparison.js'

const bench = machine('bench', { image: image.tiny(), memory: '256 MiB' })
const serving = bench.live(
  'serving',
  async (vm) => {
    await vm.$`httpd -p 80`
  },
  { backend: 'live' },
)
const cold = machine('cold', { image: image.tiny(), memory: '256 MiB', boot: 'cold' })

/** What QEMU itself does for a `loadvm` that somebody types, and no more. */
async function loadByHand(qmp: QmpClient, tag: string): Promise<void> {
  await qmp.execute('stop')
  await qmp.humanMonitor(`loadvm ${tag}`)
  await qmp.execute('cont')
}

/** As `loadByHand`, for a machine of ours; nobody wakes its guest. */
async function loadByUs(machines: MachinesInHand): Promise<void> {
  if (!(await machines.rewind())) throw new Error('a machine in a live state can be rewound')
  await Promise.all(machines.processes.map(({ qmp }) => qmp.execute('cont')))
}

async function awaitAgent({ agent }: MachineProcess): Promise<void> {
  const client = new AgentClient(agent)
  await client.synchronize()
  client.close(() => new GuestError('GUEST_RELEASED', 'it was measured'))
}

/** The fewest messages by which a program runs, asked for without a pause. */
async function execByHand(client: AgentClient): Promise<void> {
  const arg = { path: '/bin/true', arg: [], 'capture-output': true }
  const { pid } = await client.execute('guest-exec', arg)
  while (!(await client.execute('guest-exec-status', { pid })).exited);
}

/** Restores of machines, and commands in them, on real guests; `work` runs while they are open. */
export async function withMachines(
  directory: string,
  work: (comparisons: readonly Comparison[]) => Promise<void>,
): Promise<void> {
  const store = join(directory, 'store')
  await using context = await Context.open({ store, label: 'bench' })
  await using ours = await openMachines(serving, context)
  await using theirs = await openMachines(serving, context)
  const [bare] = theirs.processes
  if (bare === undefined) throw new Error('an open machine has a process')
  let vm: Vm | undefined
  let client: AgentClient | undefined
  const disks = await bare.qmp.execute('query-named-block-nodes')
  const tag = snapshotTag(disks)
  await work([
    {
      title: 'live `get`, until its CPUs run, against `loadvm` by hand',
      ours: { name: 'get', run: () => loadByUs(ours) },
      against: { name: 'loadvm', run: () => loadByHand(bare.qmp, tag) },
      limit: 1.2,
    },
    {
      title: 'the same, until its guest is right, against `loadvm` and an answer of the agent',
      ours: { name: 'get and wake', run: () => ours.reset() },
      against: {
        name: 'loadvm and ping',
        async run() {
          await loadByHand(bare.qmp, tag)
          await awaitAgent(bare)
        },
      },
      limit: 2,
    },
    {
      title: 'restore until the agent answers, against a boot of the same guest',
      ours: {
        name: 'restore',
        async run() {
          await ours.reset()
          await ours.handle().ready()
        },
      },
      against: {
        name: 'boot',
        async run() {
          await using booted = await openMachines(cold.root, context)
          await booted.handle().ready()
        },
      },
      limit: 0.5,
    },
    {
      title: 'a command, against a bare loop of `guest-exec-status`',
      ours: {
        name: 'exec',
        async run() {
          vm ??= ours.handle()
          await vm.exec('/bin/true')
        },
      },
      against: {
        name: 'loop',
        async run() {
          client ??= new AgentClient(bare.agent)
          await execByHand(client)
        },
      },
      limit: 1.5,
    },
  ])
}

/** The tag of the one snapshot that the machine's overlay holds. */
function snapshotTag(nodes: unknown): string {
  const images = (nodes as { image: { snapshots?: { name: string }[] } }[]).flatMap(
    ({ image }) => image.snapshots ?? [],
  )
  const [snapshot] = images
  if (snapshot === undefined) throw new Error('a machine in a live state has a snapshot')
  return snapshot.name
}
