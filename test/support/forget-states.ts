import { openStore } from '../../src/store/store.js'

/** Has a store forget every state but the images: the next run has to build what it needs. */
export async function forgetStates(root: string): Promise<void> {
  await using store = await openStore(root)
  const keys = [...(await store.keys.list()).keys()]
  const states = keys.filter((key) => !key.startsWith('image-'))
  await Promise.all(states.map((key) => store.keys.remove(key)))
}
