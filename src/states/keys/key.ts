import { createHash } from 'node:crypto'
import type { Image } from '../../params/image.js'
import type { Accelerator } from '../../qemu/accelerator/accelerator.js'
import { DETAILS, type MachineDefinition, type State } from '../definitions/types.js'
import { inputParts } from './inputs.js'
import { refreshPart } from './refresh.js'
import { setupCode } from './setup-code.js'

/** Goes up when a state made by an older version of this package can no longer be used. */
const FORMAT = 1

/** What keys need to know of the host; asked only for the states that depend on it. */
export interface KeyHost {
  /** What stands for an image's content. */
  identifyImage(image: Image): Promise<string>
  /** What device state depends on besides the machine. */
  emulator(machine: MachineDefinition): Promise<{ version: string; accelerator: Accelerator }>
  /** The key of a parent; a place to remember those that were computed. */
  parentKey(state: State): Promise<StateKey>
}

/** A key, and what went into it. */
export interface StateKey {
  /** 64 hexadecimal digits. */
  key: string
  /** By name, each as JSON, so that two keys can be compared part by part. */
  parts: Readonly<Record<string, unknown>>
}

/**
 * The fingerprint of a state: a hash of what its content depends on. Neither the machine's name nor
 * other states count, so that states are shared wherever they are the same.
 *
 * @throws VmStatesError if the image, an input file or the setup's text cannot be read
 */
export async function stateKey(state: State, host: KeyHost): Promise<StateKey> {
  const { step, options, origin } = state[DETAILS]
  if (step === undefined) return rootKey(state.machine, host)
  const { refresh } = options
  const name = `${state.machine.name}/${state.name}`
  return seal({
    ...(await commonParts(state, host)),
    ...(await parentParts(step.parent, host)),
    ...(state.liveness === 'disk' ? { backend: options.backend } : {}),
    ...(await setupCode(state)),
    ...(await inputParts(options.inputs, origin)),
    ...(refresh && { refresh: await refreshPart(refresh, name) }),
  })
}

/** The key of the implicit live state `boot`: the machine in a disk state, booted and ready. */
export async function bootKey(state: State, host: KeyHost): Promise<StateKey> {
  const boot = { machine: state.machine, name: 'boot', liveness: 'live' } as const
  return seal({
    ...(await commonParts(boot, host)),
    ...(await parentParts(state, host)),
  })
}

/** A root is in no store, so that what its key is made of is told with the states on it. */
async function parentParts(parent: State, host: KeyHost): Promise<Record<string, unknown>> {
  const { key, parts } = await host.parentKey(parent)
  const { image, disks } = parts
  return { parent: key, ...(parent[DETAILS].step === undefined && { image, disks }) }
}

async function rootKey(machine: MachineDefinition, host: KeyHost): Promise<StateKey> {
  const { image, disks } = machine[DETAILS].options
  return seal({
    format: FORMAT,
    state: { name: 'root', liveness: 'disk' },
    image: await host.identifyImage(image),
    disks,
  })
}

async function commonParts(
  state: Pick<State, 'machine' | 'name' | 'liveness'>,
  host: KeyHost,
): Promise<Record<string, unknown>> {
  const { memory, cpus, cpuModel, machineType, network, extraArgs } = state.machine[DETAILS].options
  return {
    format: FORMAT,
    state: { name: state.name, liveness: state.liveness },
    machine: { memory, cpus, cpuModel, machineType, network, extraArgs },
    ...(state.liveness === 'live' ? { emulator: await emulatorPart(state.machine, host) } : {}),
  }
}

async function emulatorPart(machine: MachineDefinition, host: KeyHost): Promise<unknown> {
  const { version, accelerator } = await host.emulator(machine)
  return { version, accelerator }
}

function seal(parts: Readonly<Record<string, unknown>>): StateKey {
  return { key: digest(canonicalJson(parts)), parts }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** JSON with sorted keys: how a user ordered an object does not count. */
function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`).join(',')}}`
}
