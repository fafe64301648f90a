import { basename } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { abortedError } from '../../qemu/deadline.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import type { Store } from '../../store/store.js'
import { type ObjectKind, objectKind, objectName } from '../catalogue/object-name.js'
import { verifyObject } from './verify-object.js'

/** An object of the store, and whether it is what was put there. */
export interface VerifiedObject {
  id: string
  /** As people call it: `debian/nginx`, `debian/nginx booted`; the key of an image. */
  name: string
  kind: ObjectKind
  directory: string
  /** `first`: nothing is wrong as far as it can be seen, and its digests were kept for next time. */
  status: 'sound' | 'first' | 'damaged'
  /** What is wrong, each as a part of a sentence: `image.qcow2 has changed`. */
  damages: readonly string[]
}

export interface VerifyOptions {
  /** Machines, states and boots as people call them, or ids; everything where there is none. */
  names?: readonly string[]
  signal?: AbortSignal | undefined
  /** Told what is read now: `reading debian/nginx`. */
  onProgress?: ((activity: string) => void) | undefined
}

/**
 * Reads the files of objects, and of all that they stand on, and tells which are damaged. Besides
 * digests, which are kept with an object that is verified for the first time, nothing is written.
 *
 * @throws VmStatesError `STATE_MISSING` for a name that the store does not have,
 *   `QEMU_IMG_MISSING`, `ABORTED`
 */
export async function verifyStore(
  store: Store,
  { names = [], signal, onProgress }: VerifyOptions = {},
): Promise<VerifiedObject[]> {
  const all = await store.objects.list()
  const verified: VerifiedObject[] = names.length === 0 ? await unreadable(store) : []
  for (const object of select(all, names, store)) {
    if (signal?.aborted) throw abortedError('verifying objects', signal)
    const name = objectName(object)
    onProgress?.(`reading ${name}`)
    const { damages, isFirst } = await verifyObject(object, signal)
    const lost = object.manifest.parents.filter((id) => !all.some((other) => other.id === id))
    const wrong = [...damages, ...lost.map((id) => `the object ${id} that it stands on is missing`)]
    // Somebody may have removed it under our eyes.
    if (wrong.length > 0 && (await store.objects.get(object.id)) === undefined) continue
    const { id, directory } = object
    const status = wrong.length > 0 ? 'damaged' : isFirst ? 'first' : 'sound'
    verified.push({ id, name, kind: objectKind(object), directory, status, damages: wrong })
  }
  return verified
}

async function unreadable(store: Store): Promise<VerifiedObject[]> {
  const directories = await store.objects.unreadable()
  return directories.map((directory) => {
    const id = basename(directory)
    const damages = ['its manifest cannot be read']
    return { id, name: id, kind: 'state', directory, status: 'damaged', damages }
  })
}

/** What the names name, with all that it stands on, in the order of the store. */
function select(
  all: readonly StoredObject[],
  names: readonly string[],
  store: Store,
): readonly StoredObject[] {
  if (names.length === 0) return all
  const byId = new Map(all.map((object) => [object.id, object]))
  const chosen = new Set<StoredObject>()
  function choose(object: StoredObject): void {
    if (chosen.has(object)) return
    chosen.add(object)
    for (const parent of object.manifest.parents) {
      const stood = byId.get(parent)
      if (stood !== undefined) choose(stood)
    }
  }
  for (const name of names) {
    const named = all.filter((object) => isNamed(object, name))
    if (named.length === 0) {
      throw new VmStatesError('STATE_MISSING', `the store ${store.root} has no ${name}`, {
        hint: 'What it has: states list',
      })
    }
    for (const object of named) choose(object)
  }
  return all.filter((object) => chosen.has(object))
}

/** A machine means all of its states, a state its kept boot as well. */
function isNamed(object: StoredObject, wanted: string): boolean {
  const name = objectName(object)
  return (
    object.id === wanted ||
    name === wanted ||
    name.startsWith(`${wanted}/`) ||
    name.startsWith(`${wanted} `)
  )
}
