import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { wallClock } from '../../params/clocks.js'
import { VmStatesError } from '../../params/errors.js'
import type { ParsedStateOptions } from '../../params/state.js'
import type { Origin } from '../definitions/types.js'

/** What the declared inputs of a state add to its key. */
export interface InputParts {
  values: Readonly<Record<string, unknown>>
  /** Digests by path, as it was written or as a glob found it, so that a checkout can move. */
  files: Readonly<Record<string, string>>
}

/**
 * The values of a state's inputs as they are, and the digests of its files.
 *
 * @throws VmStatesError `INPUT_FILE` if a file cannot be read, or a glob matches none
 */
export async function inputParts(
  { values, files: written }: ParsedStateOptions['inputs'],
  origin: Origin | undefined,
): Promise<InputParts> {
  const directory = origin === undefined ? process.cwd() : dirname(origin.file)
  const files = written.length === 0 ? [] : await findInputFiles(written, directory)
  const digests = await Promise.all(
    files.map(async (file) => [file, await digestFile(resolve(directory, file))] as const),
  )
  return { values, files: Object.fromEntries(digests) }
}

/**
 * Makes sure that the files of a state's inputs are those that its key was made of: a state whose setup has read
 * others would be found by these.
 *
 * @param before - the digests in the key
 * @throws VmStatesError `INPUT_FILE` with the first that is another
 */
export async function requireSameFiles(
  before: InputParts['files'],
  inputs: ParsedStateOptions['inputs'],
  origin: Origin | undefined,
): Promise<void> {
  const { files: after } = await inputParts(inputs, origin)
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const changed = paths.find((path) => before[path] !== after[path])
  if (changed === undefined) return
  const hint = 'Build it again. What a setup writes by itself is none of its inputs.'
  throw new VmStatesError('INPUT_FILE', `the input file ${changed} has changed meanwhile`, { hint })
}

/**
 * The files that inputs name: as they were written, and those that globs match now, also hidden ones,
 * without those that a glob after a `!` matches.
 *
 * @param directory - what relative paths start from
 * @throws VmStatesError `INPUT_FILE` if a glob matches none
 */
export async function findInputFiles(
  written: readonly string[],
  directory: string,
): Promise<string[]> {
  const excluded = written.filter((item) => item.startsWith('!')).map((item) => item.slice(1))
  const included = written.filter((item) => !item.startsWith('!'))
  const found = await Promise.all(
    included.map((item) => (mayBeGlob(item) ? match(item, excluded, directory) : [item])),
  )
  return [...new Set(found.flat())].sort()
}

/** Without the library that knows for certain, which most inputs do not need. */
function mayBeGlob(item: string): boolean {
  return /[*?[\]{}()!]/.test(item)
}

async function match(item: string, excluded: string[], directory: string): Promise<string[]> {
  if (await isFile(resolve(directory, item))) return [item]
  const { glob, isDynamicPattern } = await import('tinyglobby')
  if (!isDynamicPattern(item)) return [item]
  const options = { cwd: directory, dot: true, expandDirectories: false, ignore: excluded }
  const files = await glob(item, options)
  if (files.length > 0) return files
  throw new VmStatesError('INPUT_FILE', `the input files ${item} match no file in ${directory}`)
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

/** Milliseconds; a file that changed so lately may change again without another time stamp. */
const UNSETTLED = 100

const digests = new Map<string, { stamp: string; digest: Promise<string> }>()

/** Read again when the inode, the size or the times of a file have changed. */
async function digestFile(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true })
    const stamp = `${ino}:${size}:${mtimeNs}:${ctimeNs}`
    const known = digests.get(path)
    if (known?.stamp === stamp) return await known.digest
    const digest = hashFile(path)
    if (wallClock() - Number(ctimeMs) > UNSETTLED) digests.set(path, { stamp, digest })
    return await digest
  } catch (cause) {
    digests.delete(path)
    throw new VmStatesError('INPUT_FILE', `the input file ${path} cannot be read`, {
      cause,
      hint: 'Paths are relative to the file that defines the state. For a directory, write a glob: "site/**".',
    })
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
