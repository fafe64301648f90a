import { access, mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { inStore } from '../../store/files/storage-error.js'
import { writeAtomically } from '../../store/files/write-atomically.js'
import type { Store } from '../../store/store.js'
import { readUsage, USAGE_FORMAT } from './read-usage.js'
import { type Usage, usageFile, usageName } from './usage.js'

/**
 * Keeps which test files use which states, for `states graph` and the order in which files run. What
 * a run tells is added to what others told: of files that it did not run, they know better.
 *
 * @param projectRoot - the directory of `states.config.ts`, or Vitest's root where there is none
 * @param told - a file without states is forgotten; so is one that does not exist any more
 * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`
 */
export async function recordUsage(store: Store, projectRoot: string, told: Usage): Promise<void> {
  const root = resolve(projectRoot)
  await using _ = await store.lock(usageName(root))
  const known = await readUsage(store, root)
  const files = await existing(root, { ...known.files, ...told.files })
  const buildSeconds = { ...known.buildSeconds, ...told.buildSeconds }
  const file = usageFile(store.root, root)
  await inStore(file, async () => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const text = JSON.stringify({ format: USAGE_FORMAT, project: root, files, buildSeconds })
    await writeAtomically(file, text, { replace: true, durable: false })
  })
}

/** Those of the files that are there and use states, in the order of their paths. */
async function existing(root: string, files: Usage['files']): Promise<Usage['files']> {
  const used = Object.entries(files).filter(([, states]) => states.length > 0)
  const there = await Promise.all(
    used.map(([path]) =>
      access(resolve(root, path)).then(
        () => true,
        () => false,
      ),
    ),
  )
  return Object.fromEntries(used.filter((_, index) => there[index]).sort())
}
