import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { Vm } from '../../src/guest/vm.js'
import { VmControl } from '../../src/guest/vm-control.js'
import type { MachineProcess } from '../../src/qemu/machine/machine-process.js'
import { machine } from '../../src/states/definitions/machine.js'
import { Context } from '../../src/states/graph/context.js'
import { type MachinesInHand, openMachines } from '../../src/states/machines/machines-in-hand.js'
import { DEBIAN_TIMEOUT } from '../support/debian/boot.js'
import { debianImage } from '../support/debian/image.js'
import { letIn } from './channel/let-in.js'
import { bootTiny, type TinyVm } from './tiny-vm.js'

/** What tests that break a guest have to know of it. */
interface FaultyGuest {
  /** What is on its console before it is broken. */
  booted: string
  /** Its network card. */
  card: string
  /** Shell commands after which no agent runs, until it boots anew. */
  endAgent: string
  /** Shell commands after which no sshd runs, and no connection is open, until it boots anew. */
  endSshd: string
}

export const FAULTY_GUESTS = {
  tiny: {
    booted: 'vm-states tiny guest ready',
    card: 'eth0',
    endAgent: `printf '#!/bin/sh\\nexec sleep 1000\\n' >/sbin/agent; kill -KILL $(pidof qemu-ga)`,
    endSshd: 'killall -KILL dropbear',
  },
  debian: {
    booted: 'woken up to be broken',
    card: 'enp0s3',
    endAgent: 'systemctl mask --runtime --now --quiet qemu-guest-agent',
    endSshd: 'systemctl stop ssh; pkill -KILL sshd',
  },
} satisfies Record<string, FaultyGuest>

/** A guest for each test, and its handle: an error of the last has no effect on it. */
export function useGuest(
  name: keyof typeof FAULTY_GUESTS,
  channel: 'agent' | 'ssh' | 'console',
): () => Vm {
  if (name === 'debian') return useDebian(channel)
  let tiny: TinyVm
  beforeEach(async () => {
    tiny = await bootTiny({ channel })
  })
  afterEach(() => tiny[Symbol.asyncDispose]())
  return () => tiny.vm
}

/** It boots once, and wakes up for each test. */
function useDebian(channel: 'agent' | 'ssh' | 'console'): () => Vm {
  let store: string
  let context: Context
  let machines: MachinesInHand<Vm>
  let control: VmControl<'debian', 'live'>
  beforeAll(async () => {
    store = await mkdtemp(join(tmpdir(), 'vms-faulty-'))
    context = await Context.open({ store, label: 'test' })
    const debian = machine('debian', { image: await debianImage(), readyTimeout: 1_200_000 })
    machines = await openMachines<Vm>(debian.root, context)
  }, 2 * DEBIAN_TIMEOUT)
  beforeEach(async () => {
    await machines.reset()
    const process = machines.processes[0] as MachineProcess
    const { booted } = FAULTY_GUESTS.debian
    await machines.handle().$`echo ${booted} >/dev/console`
    control = new VmControl({ machine: 'debian', liveness: 'live' })
    control.attach(process, 'rewound', channel === 'ssh' ? await letIn(process) : undefined)
  })
  afterEach(() => control.release('the test has ended'))
  afterAll(async () => {
    await machines?.close()
    await context?.close()
    await rm(store, { recursive: true, force: true })
  })
  return () => control.vm
}
