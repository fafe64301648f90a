import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { buildTiny, TINY_FILES } from '../../src/images/tiny/build.js'
import { KERNEL_PARAMETERS, tinyIdentity } from '../../src/images/tiny/recipe.js'

/** The tiny guest for tests: never write to its files, put an overlay on the disk. */
export interface TinyGuest {
  /** A qcow2 file. */
  disk: string
  directKernel: { kernel: string; initrd: string; append: string }
}

/** A directory that all tests of this user share; it outlives them. */
export function sharedDirectory(): string {
  return join(tmpdir(), `vm-states-test-${userInfo().uid}`)
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** The built-in guest, built by the first test that asks and kept for all others of this user. */
export async function tinyGuest(): Promise<TinyGuest> {
  const parent = sharedDirectory()
  const directory = join(parent, `tiny-${(await tinyIdentity()).slice(0, 16)}`)
  if (!(await exists(directory))) {
    await mkdir(parent, { recursive: true, mode: 0o700 })
    const building = await mkdtemp(join(parent, 'building-'))
    try {
      await buildTiny(building)
      // Whoever comes second keeps what the first one built.
      await rename(building, directory).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      })
    } finally {
      await rm(building, { recursive: true, force: true })
    }
  }
  return {
    disk: join(directory, TINY_FILES.disk),
    directKernel: {
      kernel: join(directory, TINY_FILES.kernel),
      initrd: join(directory, TINY_FILES.initrd),
      append: KERNEL_PARAMETERS,
    },
  }
}
