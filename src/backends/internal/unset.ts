import { withImagesLocked } from '../image/lock.js'
import { requireImages } from '../image/require-images.js'
import { stateMissing } from '../image/state-missing.js'
import type { ImageTarget, OperationOptions } from '../image-backend.js'
import { deleteSnapshot } from './delete-snapshot.js'
import { orUndo, recover } from './recover.js'
import { findState, readTables, withTag } from './table.js'

/** See `ImageBackend.unset`. Nothing stands on an internal snapshot. */
export async function unsetSnapshot(
  target: ImageTarget,
  tag: string,
  options: OperationOptions = {},
): Promise<void> {
  const images = await requireImages(target)
  await withImagesLocked(
    images.map(({ file }) => file),
    async () => {
      const tables = await recover(images, await readTables(images, options))
      const state = findState(tables, tag)
      if (state === undefined) throw stateMissing(images, tag)
      if (state.liveness === 'live') {
        throw stateMissing(images, tag, 'It is a live state: use the backend "live".')
      }
      // A deleted snapshot cannot be brought back, so each disk proves first that it can be changed.
      if (images.length > 1) await orUndo(images, async () => {})
      for (const table of tables) {
        for (const { id } of withTag(table, tag)) await deleteSnapshot(table.file, id)
      }
    },
  )
}
