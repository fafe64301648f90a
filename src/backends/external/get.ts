import { stateMissing } from '../image/state-missing.js'
import type { ImageTarget, OperationOptions } from '../image-backend.js'
import { type Change, dropStaged, swapFiles } from '../swap/swap-files.js'
import { stageOverlay } from './overlay.js'
import { findStateFile } from './states.js'
import { workAhead } from './work-on.js'

/** See `ImageBackend.get`: a fresh overlay on the state takes the image's place. */
export async function getOverlay(
  target: ImageTarget,
  tag: string,
  options: OperationOptions = {},
): Promise<void> {
  await workAhead(target, options, async (images, files, idle) => {
    const states = await Promise.all(files.map((file) => findStateFile(file, tag)))
    const changes: Change[] = []
    try {
      for (const [index, state] of states.entries()) {
        const image = files[index]
        if (state === undefined || image === undefined) throw stateMissing(images, tag)
        const on = { file: state.file, virtualSize: state.header.virtualSize }
        changes.push({ image, path: image, replacement: await stageOverlay(image, on, options) })
      }
      await idle
      await swapFiles(files, changes)
    } finally {
      await dropStaged(changes)
    }
  })
}
