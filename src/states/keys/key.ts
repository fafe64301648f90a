import { hash } from 'node:crypto'
import { seedIdentity } from '../../images/cloud-init/seed.js'
import { firstBootIdentity } from '../../images/first-boot/identity.js'
import type { Image } from '../../params/image.js'
import type { Accelerator } from '../../qemu/accelerator/accelerator.js'
import { eachMember } from '../definitions/each-member.js'
import { machineOf } from '../definitions/machine-of.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, DETAILS, type MachineDefinition, type State } from '../definitions/types.js'
import { driveContents, drivesPart } from './drives.js'
import { inputParts } from './inputs.js'
import { readyCode } from './ready-code.js'
import { refreshPart } from './refresh.js'
import { setupCode } from './setup-code.js'
import { withSshKey } from './with-ssh-key.js'

/** Goes up when a state made by an older version of this package can no longer be used. */
const FORMAT = 3

/** What keys need to know of the host; asked only for the states that depend on it. */
export interface KeyHost {
  /** What stands for an image's content. */
  identifyImage(image: Image): Promise<string>
  /** What stands for the code of a machine's UEFI firmware, and for its variables as they come. */
  identifyFirmware(machine: MachineDefinition): Promise<string>
  /** What device state depends on besides the machine. */
  emulator(machine: MachineDefinition): Promise<{ version: string; accelerator: Accelerator }>
  /** The public key that guests are logged in to with. */
  sshPublicKey(): Promise<string>
  /** The key of a parent; a place to remember those that were computed. */
  parentKey(state: AnyState): Promise<StateKey>
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
export async function stateKey(state: AnyState, host: KeyHost): Promise<StateKey> {
  const { step, options, sources, origin } = state[DETAILS]
  if (sources !== undefined) return environmentKey(sources, host)
  if (step === undefined) return rootKey(machineOf(state), host)
  const { refresh } = options
  return seal({
    ...(await commonParts(state, host)),
    ...(await parentParts(step.parent, host)),
    backend: options.backend,
    ...(await setupCode(state)),
    ...(await inputParts(options.inputs, origin)),
    ...(refresh && { refresh: await refreshPart(refresh, nameOf(state)) }),
  })
}

/** The key of the implicit live state `boot`: the machines in a disk state, booted and ready. */
export async function bootKey(state: AnyState, host: KeyHost): Promise<StateKey> {
  const boot = { name: 'boot', liveness: 'live', [DETAILS]: state[DETAILS] } as const
  return seal({
    ...(await commonParts(boot, host)),
    ...(await parentParts(state, host)),
  })
}

/** What the key of a root is made of; told with the states on it, since a root is in no store. */
const ROOT_PARTS = new Set(['image', 'disks', 'cdroms', 'cloudInit', 'firstBoot', 'members'])

async function parentParts(parent: AnyState, host: KeyHost): Promise<Record<string, unknown>> {
  const { key, parts } = await host.parentKey(parent)
  if (parent[DETAILS].step !== undefined) return { parent: key }
  const root = Object.entries(parts).filter(([name]) => ROOT_PARTS.has(name))
  return { parent: key, ...Object.fromEntries(root) }
}

async function rootKey(machine: MachineDefinition, host: KeyHost): Promise<StateKey> {
  const { options } = machine[DETAILS]
  const { cloudInit, firstBoot } = await withSshKey(options, host.sshPublicKey)
  return seal({
    format: FORMAT,
    state: { name: 'root', liveness: 'disk' },
    image: await host.identifyImage(options.image),
    ...(await driveContents(options, host.identifyImage)),
    ...(cloudInit && { cloudInit: seedIdentity(cloudInit) }),
    ...(firstBoot && { firstBoot: firstBootIdentity(firstBoot) }),
  })
}

/** The root of an environment is what its members are, by the names that setups know them by. */
async function environmentKey(
  sources: Readonly<Record<string, State>>,
  host: KeyHost,
): Promise<StateKey> {
  const members = await eachMember(sources, async (source) => (await host.parentKey(source)).key)
  return seal({ format: FORMAT, members })
}

async function commonParts(state: AnyState, host: KeyHost): Promise<Record<string, unknown>> {
  const { kind, members } = state[DETAILS]
  const emulator = (machine: MachineDefinition) => emulatorPart(machine, host)
  /** A part of a machine, or those of an environment's machines by member. */
  const perMember = async (partOf: (machine: MachineDefinition) => unknown) =>
    kind === 'state'
      ? await partOf(machineOf(state))
      : await eachMember(members, async ({ machine }) => partOf(machine))
  return {
    format: FORMAT,
    state: { name: state.name, liveness: state.liveness },
    machine: await perMember((machine) => machinePart(machine, host)),
    ...(state.liveness === 'live' ? { emulator: await perMember(emulator) } : {}),
  }
}

async function machinePart(machine: MachineDefinition, host: KeyHost): Promise<unknown> {
  const { options } = machine[DETAILS]
  const { memory, cpus, cpuModel, machineType, network, extraArgs, console } = options
  const { arch, tpm, ready, firmware, hotplugPorts, extraFds, guest, sshUser, consoleUser } =
    options
  return {
    ...{ memory, cpus, cpuModel, machineType, network, extraArgs },
    ...(arch !== 'x86_64' && { arch }),
    ...(tpm && { tpm }),
    ...(guest === 'ssh' && { guest, sshUser }),
    ...(guest === 'console' && { guest, consoleUser }),
    ...(console !== 'ttyS0' && { console }),
    ...drivesPart(options),
    ...(hotplugPorts > 0 && { hotplugPorts }),
    ...(extraFds.length > 0 && { extraFds }),
    ...(firmware === 'uefi' && { firmware: await host.identifyFirmware(machine) }),
    // What a setup finds depends on what was waited for.
    ...(ready && { ready: await readyCode(machine) }),
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
  return hash('sha256', text)
}

/** JSON with sorted keys: how a user ordered an object does not count. */
function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`
  const fields = value as Readonly<Record<string, unknown>>
  const written = Object.keys(fields)
    .filter((name) => fields[name] !== undefined)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(fields[name])}`)
  return `{${written.join()}}`
}
