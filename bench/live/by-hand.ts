import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Disk, LaunchOptions } from '../../src/qemu/machine/launch-options.js'
import { DETAILS, ONLY_MEMBER, type State } from '../../src/states/definitions/types.js'
import type { AvailableMember, AvailableState } from '../../src/states/graph/available-state.js'
import type { Context } from '../../src/states/graph/context.js'
import { startChild, succeeded } from './children.js'
import { HandMachine } from './hand-machine.js'

let made = 0

/** Makes machines of one state by hand, with nothing of ours but the list of QEMU's arguments. */
export class ByHand {
  readonly #directory: string
  readonly #options: Omit<LaunchOptions, 'disks' | 'directory'>
  readonly #member: AvailableMember

  private constructor(
    directory: string,
    options: Omit<LaunchOptions, 'disks' | 'directory'>,
    member: AvailableMember,
  ) {
    this.#directory = directory
    this.#options = options
    this.#member = member
  }

  static async of(
    state: State,
    available: AvailableState,
    { context, directory }: { context: Context; directory: string },
  ): Promise<ByHand> {
    const { machine } = state
    const { memory, cpus, cpuModel, machineType, network, extraArgs } = machine[DETAILS].options
    const { binary, accelerator } = await context.emulatorOf(machine)
    const hardware = { memory, cpus, cpuModel, machineType, network, extraArgs }
    const member = available.members[ONLY_MEMBER] as AvailableMember
    const { directKernel } = member
    const options = {
      ...hardware,
      ...{ name: machine.name, binary, accelerator },
      ...(directKernel && { directKernel }),
    }
    return new ByHand(directory, options, member)
  }

  /** A machine at power-on, on an overlay of the state's disks. */
  async powerOn(): Promise<{ machine: HandMachine; options: LaunchOptions }> {
    const options = { ...this.#options, ...(await this.#overlays()) }
    return { machine: await HandMachine.start(options), options }
  }

  /** A fork restore, with the CPUs stopped still. */
  async fork(): Promise<HandMachine> {
    const { memory } = this.#member.files
    if (memory?.ram === undefined) throw new Error('the state has no RAM of its own')
    const ram = { path: memory.ram, shared: false }
    const options = { ...this.#options, ...(await this.#overlays()), ram, incoming: memory.devices }
    const machine = await HandMachine.start(options)
    await machine.load(memory.devices)
    return machine
  }

  /** Deletes what machines wrote; none may run any more. */
  async tidy(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #overlays(): Promise<{ disks: Disk[]; directory: string }> {
    const directory = join(this.#directory, String(++made))
    await mkdir(directory, { recursive: true })
    const disks = this.#member.files.disks.map(async (disk): Promise<Disk> => {
      const file = join(directory, `${disk.name}.qcow2`)
      const backing = ['-F', disk.format, '-b', disk.file]
      const args = ['create', '-q', '-f', 'qcow2', ...backing, file]
      await succeeded(startChild('qemu-img', args, { stdio: 'ignore' }), 'qemu-img create')
      return { ...disk, file, format: 'qcow2' }
    })
    return { disks: await Promise.all(disks), directory }
  }
}
