import type { LimitFunction } from 'p-limit'
import { type SshKey, sshKeyOf } from '../../guest/ssh/ssh-key.js'
import { identifyFirmware } from '../../images/firmware/identify-firmware.js'
import { identifyImage } from '../../images/identify-image.js'
import type { Architecture } from '../../params/architecture.js'
import { wallClock } from '../../params/clocks.js'
import type { LoadedConfig } from '../../params/load-config.js'
import { DEFAULT_QEMU } from '../../params/qemu.js'
import type { Run } from '../../store/runs/run.js'
import { openStore, type Store } from '../../store/store.js'
import { Allowance } from '../admission/allowance.js'
import { type LimitsInForce, limitsInForce } from '../admission/limits-in-force.js'
import { type AnyState, DETAILS, type MachineDefinition } from '../definitions/types.js'
import { bootKey, type KeyHost, type StateKey, stateKey } from '../keys/key.js'
import { type Emulator, emulatorOf } from './emulator.js'
import { FailedBuilds } from './failed-builds.js'
import type { OnBuildEvent } from './progress.js'

/** More builds at once take longer, not shorter: each has machines with their RAM and CPUs. */
const BUILDS_AT_ONCE = 2

/** What of the configuration counts; only the store must be told. */
type Configured = Pick<LoadedConfig, 'store'> &
  Partial<Pick<LoadedConfig, 'build' | 'qemu' | 'limits'>>

export interface ContextOptions extends Configured {
  /** Asked, before this process waits for memory, to end a machine that nobody needs. */
  giveUp?: () => Promise<boolean>
  /** Asked while a build waits for memory: whether no machine of this process's tests is given back before. */
  allWait?: () => boolean
  /** The builds that are not tried again; by default those that failed in this context. */
  failures?: FailedBuilds
  /** Builds that may go on at once; 2. */
  builds?: number | undefined
  onBuildEvent?: OnBuildEvent
  /** What the run is for, for people who look at the runs of a store. */
  label: string
}

/**
 * What everything that works with states shares while a process lives: the store, the run that its
 * machines belong to, and the keys that were computed. `close()` ends every machine.
 */
export class Context implements AsyncDisposable {
  readonly store: Store
  readonly build: 'missing' | 'never'
  readonly failures: FailedBuilds
  readonly report: OnBuildEvent
  /** What this process's machines may take of the host. */
  readonly allowance: Allowance
  /** When it was opened, in milliseconds since 1970: what was fresh then is fresh while it lives. */
  readonly openedAt = wallClock()
  /** What people were told that they need to hear but once. */
  readonly told = new Set<string>()
  /** The disk states whose kept boots somebody in this process asked for. */
  readonly bootsAsked = new Set<AnyState>()
  readonly #label: string
  readonly #qemu: string
  readonly #builds: number
  readonly #keys = new Map<AnyState, Promise<StateKey>>()
  readonly #bootKeys = new Map<AnyState, Promise<StateKey>>()
  readonly #emulators = new Map<string, Promise<Emulator>>()
  #limit: Promise<LimitFunction> | undefined
  #sshKey: Promise<SshKey> | undefined
  #run: Promise<Run> | undefined

  private constructor(store: Store, options: ContextOptions) {
    this.store = store
    this.build = options.build ?? 'missing'
    this.failures = options.failures ?? new FailedBuilds()
    this.report = options.onBuildEvent ?? (() => {})
    let limits: Promise<LimitsInForce> | undefined
    this.allowance = new Allowance(store.admissions, {
      limits: () => (limits ??= limitsInForce(options.limits ?? {})),
      giveUp: options.giveUp ?? (() => Promise.resolve(false)),
      allWait: options.allWait ?? (() => false),
    })
    this.#label = options.label
    this.#builds = options.builds ?? BUILDS_AT_ONCE
    this.#qemu = options.qemu ?? DEFAULT_QEMU
  }

  /**
   * Opens a store to work with states, and cleans up after processes that did not end well.
   *
   * @throws VmStatesError if the store cannot be used
   */
  static async open(options: ContextOptions): Promise<Context> {
    const store = await openStore(options.store)
    await store.reap()
    return new Context(store, options)
  }

  /** The run that this process's machines belong to; begun when the first one starts. */
  run(): Promise<Run> {
    this.#run ??= this.store.runs.begin({ lifetime: 'process', label: this.#label })
    return this.#run
  }

  /** The key of a state: the same one as long as the context lives. */
  keyOf(state: AnyState): Promise<StateKey> {
    return remember(this.#keys, state, () => stateKey(state, this.#host))
  }

  /** The key of the implicit live state `boot` of a disk state. */
  bootKeyOf(state: AnyState): Promise<StateKey> {
    return remember(this.#bootKeys, state, () => bootKey(state, this.#host))
  }

  /**
   * The key that a live state, or the kept boot of a disk state, has where machines run by another QEMU.
   *
   * @param emulator - what runs each machine there
   */
  foreignKeyOf(state: AnyState, booted: boolean, emulator: KeyHost['emulator']): Promise<StateKey> {
    const keys = new Map<AnyState, Promise<StateKey>>()
    const host: KeyHost = {
      ...this.#host,
      emulator,
      parentKey: (parent) => remember(keys, parent, () => stateKey(parent, host)),
    }
    return (booted ? bootKey : stateKey)(state, host)
  }

  /** The QEMU that runs a machine, and how. */
  emulatorOf(machine: MachineDefinition): Promise<Emulator> {
    const { arch, cpuModel, binary = this.#qemuOf(arch) } = machine[DETAILS].options
    return remember(this.#emulators, `${binary} ${cpuModel}`, () =>
      emulatorOf(
        { arch, binary, cpuModel },
        {
          store: this.store,
          directory: async () => (await this.run()).machineDirectory('proof'),
        },
      ),
    )
  }

  /** The key pair that guests are logged in to with. */
  sshKey(): Promise<SshKey> {
    this.#sshKey ??= sshKeyOf(this.store)
    return this.#sshKey
  }

  /** The configuration names the one for the host's own kind of machines. */
  #qemuOf(arch: Architecture): string {
    return arch === 'x86_64' ? this.#qemu : `qemu-system-${arch}`
  }

  /** Builds when it is this build's turn. What it builds on must be there already. */
  async inTurn<Result>(build: () => Promise<Result>): Promise<Result> {
    this.#limit ??= import('p-limit').then(({ default: pLimit }) => pLimit(this.#builds))
    return await (await this.#limit)(build)
  }

  /** Ends every machine, and gives back what is leased. */
  async close(): Promise<void> {
    const run = this.#run
    this.#run = undefined
    await (await run)?.end()
    await this.allowance.close()
    await this.store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #host(): KeyHost {
    return {
      identifyImage: (image) => identifyImage(image, this.store),
      identifyFirmware: (machine) => identifyFirmware(machine[DETAILS].options, this.store),
      emulator: (machine) => this.emulatorOf(machine),
      sshPublicKey: async () => (await this.sshKey()).publicKey,
      parentKey: (state) => this.keyOf(state),
    }
  }
}

/** What failed is tried again when it is next asked for. */
function remember<Key, Value>(
  memory: Map<Key, Promise<Value>>,
  key: Key,
  make: () => Promise<Value>,
): Promise<Value> {
  const known = memory.get(key)
  if (known !== undefined) return known
  const value = make()
  memory.set(key, value)
  value.catch(() => memory.delete(key))
  return value
}
