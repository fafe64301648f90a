import type { Outcome, Subject, UnsetStateOptions } from '../../states/policies/operations.js'
import { printable } from '../output/printable.js'
import { cell } from '../output/table.js'
import type { Context, Report } from '../report.js'
import { findSubject, type ImageOptions, withImages } from './image-subject.js'
import { type PolicyFlags, policyOptions } from './policy-options.js'

/** What a command that changes an image was told. */
export type ChangeOptions = ImageOptions & PolicyFlags

const SENTENCES: Readonly<Record<Outcome, (state: string, image: string) => string>> = {
  restored: (state, image) => `${image} is back at ${state}`,
  created: (state, image) => `${image} has the new state ${state}`,
  replaced: (state, image) => `${image} has ${state} replaced`,
  removed: (state, image) => `${image} no longer has ${state}`,
  kept: (state, image) => `${image} keeps ${state} as it was`,
  ignored: (state, image) => `${image}: nothing done about ${state}`,
}

/**
 * Runs one of the operations with policies on a state of an image.
 *
 * @param step - what is being done, for the progress
 * @param byDefault - the backend of a new state; else the one that has the state is found
 */
export function changeImage(
  { file, tag }: { file: string; tag: string },
  { step, byDefault }: { step: string; byDefault?: 'external' },
  options: ChangeOptions,
  { signal, progress }: Context,
  operation: (subject: Subject, options: UnsetStateOptions) => Promise<Outcome>,
): Promise<Report> {
  progress.step(`${step} ${cell(tag)}`)
  const chosen = options.qmp === undefined && byDefault ? { backend: byDefault } : {}
  return withImages(file, { ...chosen, ...options }, signal, async (images) => {
    const subject = await findSubject(images, tag, signal)
    const outcome = await operation(subject, policyOptions(options, signal))
    return {
      data: { outcome, state: tag, backend: subject.backend.name, image: file },
      text: printable(SENTENCES[outcome](JSON.stringify(tag), file)),
    }
  })
}
