import { hash } from 'node:crypto'
import { chmod, lstat, mkdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { fileError } from '../../qemu/file-error.js'
import type { Store } from '../../store/store.js'
import { runTool } from '../run-tool.js'

/** Where files come from and go to. */
export interface FilePlaces {
  /** A tar file with the paths in it. */
  archive: string
  /** Absolute paths as the archive's disk has them. */
  paths: readonly string[]
  /** The directory that they go to, by their last names. */
  to: string
}

/**
 * Unpacks files into a directory, all of them or none: beside their places first, then renamed into them. What an
 * earlier call left there when it was killed is removed.
 *
 * @param store - whose calls take turns
 * @returns where they are
 * @throws VmStatesError `OUTPUT_EXISTS`, `ACCESS_DENIED`, `DISK_FULL`, `TOOL_FAILED`
 */
export async function placeFiles(
  { archive, paths, to }: FilePlaces,
  store: Store,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const fail = (error: unknown): never => {
    throw fileError(error, to)
  }
  await mkdir(to, { recursive: true }).catch(fail)
  await using _lock = await store.lock(`extract-${hash('sha256', to)}`, { signal })
  const unfinished = join(to, `.extract-${hash('sha256', store.root).slice(0, 12)}`)
  const placed: string[] = []
  try {
    await removeTree(unfinished)
    await refuseTaken(paths, to)
    await mkdir(unfinished, { mode: 0o700 }).catch(fail)
    const args = ['-xf', archive, '-C', unfinished, '--no-same-owner', '--preserve-permissions']
    await runTool('tar', args, { signal })
    for (const path of paths) {
      const target = join(to, basename(path))
      await move(join(unfinished, path), target).catch(fail)
      placed.push(target)
    }
    return placed
  } catch (error) {
    await Promise.all(placed.map(removeTree))
    throw error
  } finally {
    await removeTree(unfinished)
  }
}

/** @throws VmStatesError `OUTPUT_EXISTS` */
export async function refuseTaken(paths: readonly string[], to: string): Promise<void> {
  const targets = paths.map((path) => join(to, basename(path)))
  const double = targets.find((target, index) => targets.indexOf(target) !== index)
  if (double !== undefined) {
    throw new VmStatesError('OUTPUT_EXISTS', `two of the paths would both go to ${double}`)
  }
  for (const target of targets) {
    const stats = await lstat(target).catch(() => undefined)
    if (stats === undefined) continue
    throw new VmStatesError('OUTPUT_EXISTS', `${target} exists already`, {
      hint: 'Choose another directory, or delete it.',
    })
  }
}

/** A directory that its owner may not write to can be moved by root only. */
async function move(from: string, to: string): Promise<void> {
  const stats = await lstat(from)
  if (!stats.isDirectory()) return await rename(from, to)
  const mode = stats.mode & 0o7777
  await chmod(from, mode | 0o300)
  await rename(from, to)
  await chmod(to, mode)
}

/** Directories that were extracted may be closed to their owner. */
async function removeTree(directory: string): Promise<void> {
  const stats = await lstat(directory).catch(() => undefined)
  if (stats?.isDirectory()) {
    await runTool('chmod', ['-R', 'u+rwx', '--', directory]).catch(() => {})
  }
  await rm(directory, { recursive: true, force: true })
}
