import { isAbsolute, join, relative } from 'node:path'
import type { StateFiles } from '../../backends/backend.js'
import type { DirectKernel } from '../../qemu/machine/launch-options.js'
import type { StoredObject } from '../../store/objects/manifest.js'
import type { BaseImage } from './available-state.js'

const FORMAT = 1

/** What the manifest of a state's object says about it. Paths are relative to the object. */
export interface StateMeta {
  format: number
  machine: string
  state: string
  /** The name of the state that it was built on. */
  parent: string
  files: StateFiles
  directKernel?: DirectKernel
  bases: readonly BaseImage[]
  /** What went into the key, to tell what changed. */
  parts: Readonly<Record<string, unknown>>
  /** Seconds that the build took, without those for its parents. */
  seconds: number
  /** Seconds with those for its parents. */
  worth: number
}

/** What is said about a state when it is committed; paths as they are in the draft. */
export type NewStateMeta = Omit<StateMeta, 'format'>

/**
 * The JSON for an object's manifest. Drafts are siblings of objects, so that relative paths stay
 * right when a draft becomes one, and when the store is moved.
 *
 * @param directory - the draft's directory
 */
export function writeMeta(meta: NewStateMeta, directory: string): StateMeta {
  return {
    ...meta,
    format: FORMAT,
    ...mapPaths(meta, (path) => relative(directory, path)),
  }
}

/**
 * Reads what an object's manifest says about the state, with absolute paths.
 *
 * @returns undefined for an object that is no state, or one of another version of this package
 */
export function readMeta({ directory, manifest }: StoredObject): StateMeta | undefined {
  const meta = manifest.meta as StateMeta | undefined
  if (meta?.format !== FORMAT || typeof meta.state !== 'string') return undefined
  return { ...meta, ...mapPaths(meta, (path) => (isAbsolute(path) ? path : join(directory, path))) }
}

function mapPaths(
  { files, directKernel }: Pick<StateMeta, 'files' | 'directKernel'>,
  map: (path: string) => string,
): Pick<StateMeta, 'files' | 'directKernel'> {
  return {
    files: { ...files, disks: files.disks.map((disk) => ({ ...disk, file: map(disk.file) })) },
    ...(directKernel && {
      directKernel: {
        ...directKernel,
        kernel: map(directKernel.kernel),
        ...(directKernel.initrd && { initrd: map(directKernel.initrd) }),
      },
    }),
  }
}
