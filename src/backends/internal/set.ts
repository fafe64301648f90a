import { requireSoundChain } from '../../images/backing-chain.js'
import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import { snapshotCreate } from '../../qemu/qemu-img/snapshots.js'
import { withImagesLocked } from '../image/lock.js'
import { requireImages } from '../image/require-images.js'
import type { ImageTarget, OperationOptions } from '../image-backend.js'
import { deleteSnapshot } from './delete-snapshot.js'
import { recover } from './recover.js'
import { findState, readTables, type SnapshotTable, withTag } from './table.js'

/** See `ImageBackend.set`. */
export async function setSnapshot(
  target: ImageTarget,
  name: string,
  options: OperationOptions = {},
): Promise<void> {
  const images = await requireImages(target)
  await withImagesLocked(
    images.map(({ file }) => file),
    async () => {
      await Promise.all(images.map(({ file }) => requireSoundChain(file)))
      const tables = await recover(images, await readTables(images, options))
      for (const table of tables) refuseLive(table, name)
      // What a killed operation left half done, or qemu-img made double.
      const old = findState(tables, name)?.snapshots.map(({ id }) => id) ?? []
      await keepOnly(tables, name, old)
      try {
        for (const { file } of tables) await snapshotCreate(file, name, options)
        await deleteOld(tables, old, 0)
      } catch (error) {
        await keepOnly(await readTables(images), name, old)
        throw error
      }
      // The first disk has the new snapshot alone, so the new ones are the state: see findState.
      for (const index of tables.keys()) await deleteOld(tables, old, index)
    },
  )
}

function refuseLive(table: SnapshotTable, name: string): void {
  if (withTag(table, name).every(({ vmStateSize }) => vmStateSize === 0)) return
  throw new VmStatesError('STATE_EXISTS', `${table.file} has a live state ${showValue(name)}`, {
    hint: 'Choose another name, or unset it with the backend "live" first.',
  })
}

/**
 * Deletes every snapshot of a name but one on each disk. The first disk comes last, since how many
 * it has tells which of the others are the state.
 *
 * @param keep - the ID of the one that stays on each disk; undefined for none
 */
async function keepOnly(
  tables: readonly SnapshotTable[],
  name: string,
  keep: readonly (string | undefined)[],
): Promise<void> {
  for (const [index, table] of [...tables.entries()].reverse()) {
    for (const { id } of withTag(table, name)) {
      if (id !== keep[index]) await deleteSnapshot(table.file, id)
    }
  }
}

async function deleteOld(
  tables: readonly SnapshotTable[],
  old: readonly (string | undefined)[],
  index: number,
): Promise<void> {
  const [table, id] = [tables[index], old[index]]
  if (table !== undefined && id !== undefined) await deleteSnapshot(table.file, id)
}
