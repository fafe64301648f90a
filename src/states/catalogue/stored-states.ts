import type { StoredObject } from '../../store/objects/manifest.js'
import { isComplete } from '../../store/objects/read-objects.js'
import type { Store } from '../../store/store.js'
import { readMeta, type StateMeta } from '../graph/state-meta.js'

/** A state in the store, and what its manifest says about it. */
export interface StoredState {
  object: StoredObject
  meta: StateMeta
}

/** What a store has at one moment, read at once: a look at each of many keys would take far longer. */
export class StoredStates {
  readonly #keys: ReadonlyMap<string, string>
  readonly #states: ReadonlyMap<string, StoredState>
  readonly #objects: ReadonlyMap<string, StoredObject>
  /** Ids of what kept boots stand on. */
  readonly #booted: ReadonlySet<string>
  readonly #whole = new Map<string, Promise<boolean>>()

  private constructor(keys: ReadonlyMap<string, string>, objects: readonly StoredObject[]) {
    this.#keys = keys
    this.#objects = new Map(objects.map((object) => [object.id, object]))
    this.#states = new Map(
      objects.flatMap((object) => {
        const meta = readMeta(object)
        return meta === undefined ? [] : [[object.id, { object, meta }]]
      }),
    )
    const boots = [...this.#states.values()].filter(({ meta }) => meta.state === 'boot')
    this.#booted = new Set(boots.flatMap(({ object }) => object.manifest.parents))
  }

  static async read({ keys, objects }: Store): Promise<StoredStates> {
    return new StoredStates(await keys.list(), await objects.list())
  }

  /** The state that a key stands for, if all that it stands on is there. */
  async find(key: string): Promise<StoredState | undefined> {
    const state = this.#states.get(this.#keys.get(key) ?? '')
    return state !== undefined && (await this.#isWhole(state.object.id)) ? state : undefined
  }

  /** Whether a boot was ever kept that stands on this state, so that it is worth looking for. */
  isBooted({ object }: StoredState): boolean {
    return this.#booted.has(object.id)
  }

  #isWhole(id: string): Promise<boolean> {
    const known = this.#whole.get(id) ?? this.#check(this.#objects.get(id))
    this.#whole.set(id, known)
    return known
  }

  async #check(object: StoredObject | undefined): Promise<boolean> {
    if (object === undefined || !(await isComplete(object))) return false
    const parents = await Promise.all(object.manifest.parents.map((id) => this.#isWhole(id)))
    return !parents.includes(false)
  }
}
