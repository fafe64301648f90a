import { loadConfig } from '../../params/load-config.js'
import { type VerifiedObject, verifyStore } from '../../states/verify/verify-store.js'
import { openStore } from '../../store/store.js'
import { printable } from '../output/printable.js'
import type { Context, Report } from '../report.js'
import { joinBooted } from '../targets/booted.js'

/** `states verify`: whether what is in the store is what was put there. */
export async function verify(
  names: readonly string[],
  _options: object,
  { signal, progress }: Context,
): Promise<Report> {
  const config = await loadConfig()
  progress.step('reading the store')
  await using store = await openStore(config.store)
  const objects = await verifyStore(store, {
    names: joinBooted(names),
    signal,
    onProgress: (activity) => progress.step(activity),
  })
  const isDamaged = objects.some(({ status }) => status === 'damaged')
  return {
    data: { store: config.store, objects },
    text: printable(summary(objects)),
    exitCode: isDamaged ? 3 : 0,
  }
}

function summary(objects: readonly VerifiedObject[]): string {
  const damaged = objects.filter(({ status }) => status === 'damaged')
  const first = objects.filter(({ status }) => status === 'first').length
  const sound = objects.length - damaged.length
  const lines = damaged.map(
    (object) => `${object.name} is damaged: ${object.damages.join('; ')}\n  ${mend(object)}`,
  )
  lines.push(`${sound} of ${objects.length} objects are sound`)
  if (first > 0) {
    lines.push(`${first} were read for the first time: a change of content before now is not seen`)
  }
  return lines.join('\n')
}

function mend({ kind, name, directory }: VerifiedObject): string {
  const otherwise = `delete ${directory} while nothing uses it`
  if (!name.includes('/')) return `To have it made anew: ${otherwise}`
  const children = kind === 'boot' ? '' : ' --with-children'
  return `To have it built anew, in the project that defines it: states unset ${name}${children}; else ${otherwise}`
}
