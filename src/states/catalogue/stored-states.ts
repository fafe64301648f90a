import type { StoredObject } from '../../store/objects/manifest.js'
import { type ObjectUsage, usageOf } from '../../store/objects/usage.js'
import type { Store } from '../../store/store.js'
import { readMeta, type StateMeta } from '../graph/state-meta.js'

/** A state in the store, and what its manifest says about it. */
export interface StoredState {
  object: StoredObject
  meta: StateMeta
  /** Bytes on the disk of its own files. */
  size: number
}

/** What a store has at one moment, read at once: a look at each of many keys would take far longer. */
export class StoredStates {
  readonly #keys: ReadonlyMap<string, string>
  readonly #states: ReadonlyMap<string, StoredState>
  readonly #objects: ReadonlyMap<string, StoredObject>
  readonly #usage: ReadonlyMap<string, ObjectUsage>
  /** Ids of what kept boots stand on. */
  readonly #booted: ReadonlySet<string>
  readonly #whole = new Map<string, boolean>()

  private constructor(
    keys: ReadonlyMap<string, string>,
    objects: readonly StoredObject[],
    usage: ReadonlyMap<string, ObjectUsage>,
  ) {
    this.#keys = keys
    this.#objects = new Map(objects.map((object) => [object.id, object]))
    this.#usage = usage
    this.#states = new Map(
      objects.flatMap((object) => {
        const meta = readMeta(object)
        const size = usage.get(object.id)?.size
        return meta === undefined || size === undefined ? [] : [[object.id, { object, meta, size }]]
      }),
    )
    const boots = [...this.#states.values()].filter(({ meta }) => meta.state === 'boot')
    this.#booted = new Set(boots.flatMap(({ object }) => object.manifest.parents))
  }

  static async read({ keys, objects }: Store): Promise<StoredStates> {
    const ids = await keys.list()
    const all = await objects.list()
    return new StoredStates(ids, all, await usageOf(all))
  }

  /** The state that a key stands for, if all that it stands on is there. */
  find(key: string): StoredState | undefined {
    const state = this.#states.get(this.#keys.get(key) ?? '')
    return state !== undefined && this.#isWhole(state.object.id) ? state : undefined
  }

  /** Whether a boot was ever kept that stands on this state, so that it is worth looking for. */
  isBooted({ object }: StoredState): boolean {
    return this.#booted.has(object.id)
  }

  #isWhole(id: string): boolean {
    const known = this.#whole.get(id)
    if (known !== undefined) return known
    const parents = this.#objects.get(id)?.manifest.parents
    const isWhole =
      parents !== undefined &&
      this.#usage.get(id)?.isComplete === true &&
      parents.every((parent) => this.#isWhole(parent))
    this.#whole.set(id, isWhole)
    return isWhole
  }
}
