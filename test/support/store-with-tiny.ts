import { copyFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { tinyIdentity } from '../../src/images/tiny/recipe.js'
import type { Architecture } from '../../src/params/architecture.js'
import { openStore } from '../../src/store/store.js'
import { tinyGuest } from './tiny.js'

/** Makes a store that has the built-in guest already, so that no test builds it again. */
export async function makeStoreWithTiny(
  root: string,
  arch: Architecture = 'x86_64',
): Promise<void> {
  const { disk, directKernel } = await tinyGuest(arch)
  await using store = await openStore(root)
  const key = `image-tiny-${await tinyIdentity(arch)}`
  const draft = await store.objects.createDraft()
  for (const file of [disk, directKernel.kernel, directKernel.initrd ?? []].flat()) {
    await copyFile(file, join(draft.directory, basename(file)))
  }
  const { id } = await draft.commit({ key, meta: { format: 'qcow2' } })
  await store.keys.point(key, id)
}
