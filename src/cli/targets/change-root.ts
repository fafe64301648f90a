import type { ImageTarget } from '../../backends/image-backend.js'
import type { UnsetStateOptions } from '../../states/policies/operations.js'
import type { RootOutcome } from '../../states/policies/root-operations.js'
import type { Context, Report } from '../report.js'
import type { ChangeOptions } from './change-image.js'
import { withImages } from './image-subject.js'
import { policyOptions } from './policy-options.js'
import { ROOT } from './reserved.js'

const SENTENCES: Readonly<Record<RootOutcome, string>> = {
  created: 'is a new, blank image',
  replaced: 'is blank now',
  removed: 'is removed',
  kept: 'stays as it is',
  ignored: 'is not there; nothing done',
}

/** Runs one of the operations with policies on the root of an image, and of its further disks. */
export function changeRoot(
  file: string,
  options: ChangeOptions,
  { signal, progress }: Context,
  operation: (target: ImageTarget, options: UnsetStateOptions) => Promise<RootOutcome>,
): Promise<Report> {
  progress.step(`working on ${file}`)
  return withImages(file, options, signal, async ({ target }) => {
    const outcome = await operation(target, policyOptions(options, signal))
    return {
      data: { outcome, state: ROOT, backend: 'image', image: file },
      text: target.disks.map((disk) => `${disk.file} ${SENTENCES[outcome]}`).join('\n'),
    }
  })
}
