import { snapshotApply } from '../../qemu/qemu-img/snapshots.js'
import { withImagesLocked } from '../image/lock.js'
import { requireImages } from '../image/require-images.js'
import { stateMissing } from '../image/state-missing.js'
import type { ImageTarget, OperationOptions } from '../image-backend.js'
import { orUndo, recover } from './recover.js'
import { findState, readTables } from './table.js'

/** See `ImageBackend.get`. */
export async function getSnapshot(
  target: ImageTarget,
  tag: string,
  options: OperationOptions = {},
): Promise<void> {
  const images = await requireImages(target)
  const files = images.map(({ file }) => file)
  await withImagesLocked(files, async () => {
    const tables = await recover(images, await readTables(images, options))
    const state = findState(tables, tag)
    if (state === undefined) throw stateMissing(images, tag)
    if (state.liveness === 'live') {
      throw stateMissing(images, tag, 'It is a live state: use the backend "live".')
    }
    const apply = async (): Promise<void> => {
      for (const [index, { id }] of state.snapshots.entries()) {
        await snapshotApply(files[index] ?? '', id, options)
      }
    }
    await (files.length === 1 ? apply() : orUndo(images, apply))
  })
}
