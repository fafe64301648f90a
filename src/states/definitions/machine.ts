import { dirname, resolve } from 'node:path'
import { withArchitecture } from '../../params/architecture.js'
import type { Image } from '../../params/image.js'
import { machineOptionsSchema, type ParsedMachineOptions } from '../../params/machine.js'
import { nameSchema } from '../../params/names.js'
import { parse } from '../../params/parse.js'
import { DEFAULT_OPTIONS } from './define-state.js'
import { findOrigin } from './origin.js'
import { StateDefinition } from './state-definition.js'
import {
  DETAILS,
  type MachineDefinition,
  type MachineDetails,
  type MachineOptions,
  ONLY_MEMBER,
  type Origin,
  type State,
} from './types.js'

/**
 * Defines a virtual machine. Nothing is started or read: a definition only describes.
 *
 * @param name - unique in a project; letters, digits, `.`, `_` and `-`
 * @param options - its image, memory, CPUs, disks and network
 * @throws VmStatesError `INVALID_VALUE` with the path of the offending value
 */
export function machine<const M extends string>(
  name: M,
  options: MachineOptions,
): MachineDefinition<M> {
  parse(nameSchema, name, 'machine name')
  const origin = findOrigin(machine)
  const parsed = parse(machineOptionsSchema, withArchitecture(options), `machine "${name}"`)
  return new Machine(name, {
    kind: 'machine',
    origin,
    options: withAbsolutePaths(parsed, origin),
    states: new Map(),
  })
}

/** Files are looked for from the file that defines the machine, wherever the process runs. */
function withAbsolutePaths(
  options: ParsedMachineOptions,
  origin: Origin | undefined,
): ParsedMachineOptions {
  const directory = origin === undefined ? process.cwd() : dirname(origin.file)
  const absolute = (image: Image): Image =>
    image.kind === 'file' ? { ...image, path: resolve(directory, image.path) } : image
  return {
    ...options,
    image: absolute(options.image),
    disks: options.disks.map((disk) => ({
      ...disk,
      ...(disk.image && { image: absolute(disk.image) }),
    })),
    cdroms: options.cdroms.map((cdrom) => ({ ...cdrom, image: absolute(cdrom.image) })),
  }
}

class Machine<M extends string> implements MachineDefinition<M> {
  readonly name: M
  readonly root: State<M, 'disk'>
  readonly state: State<M, 'disk'>['state']
  readonly live: State<M, 'disk'>['live']
  readonly [DETAILS]: MachineDetails

  constructor(name: M, details: MachineDetails) {
    this.name = name
    this[DETAILS] = details
    this.root = new StateDefinition(this, 'root', 'disk', {
      kind: 'state',
      owner: this,
      members: { [ONLY_MEMBER]: { machine: this, liveness: 'disk' } },
      origin: details.origin,
      options: DEFAULT_OPTIONS,
      step: undefined,
    })
    details.states.set('root', this.root)
    this.state = this.root.state.bind(this.root)
    this.live = this.root.live.bind(this.root)
  }
}
