import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { isVmStatesError } from '../../params/errors.js'
import { fileError } from '../../qemu/file-error.js'
import { type Qcow2Header, readQcow2Header } from '../../qemu/qcow2/header.js'
import type { Image } from '../image/require-images.js'
import { stateFile, stateName } from './names.js'

/** Bytes, on Linux. */
const MAX_FILE_NAME = 255

/** A file beside an image that holds a state of it. */
export interface StateFile extends Image {
  name: string
  /** When it got its name. */
  date: Date
}

/** The absolute path of what an image stands on. */
export function backingPath({ file, header }: Image): string | undefined {
  return header.backingFile === undefined ? undefined : resolve(dirname(file), header.backingFile)
}

/** What an image stands on, as another file beside it writes it. */
export function backingFor(
  beside: string,
  on: Image,
): { file: string; format: 'qcow2' | 'raw' } | undefined {
  const path = backingPath(on)
  if (path === undefined) return undefined
  const isAbsolute = on.header.backingFile?.startsWith('/') ?? false
  return {
    file: isAbsolute ? path : relative(dirname(beside), path),
    format: on.header.backingFormat === 'raw' ? 'raw' : 'qcow2',
  }
}

/** Every state of one image, oldest first. */
export async function listStateFiles(image: string): Promise<StateFile[]> {
  const names = (await readdir(dirname(image)))
    .map((fileName) => stateName(image, fileName))
    .filter((name) => name !== undefined)
  const files = await Promise.all(names.map((name) => findStateFile(image, name)))
  return files
    .filter((file) => file !== undefined)
    .sort((a, b) => a.date.getTime() - b.date.getTime() || a.name.localeCompare(b.name))
}

/** A state of one image; undefined if it has none of that name. */
export async function findStateFile(image: string, name: string): Promise<StateFile | undefined> {
  const file = stateFile(image, name)
  const isFileName = name !== '' && !/[/\0]/.test(name)
  if (!isFileName || Buffer.byteLength(basename(file)) > MAX_FILE_NAME) return undefined
  const header = await readHeaderOf(file)
  if (header === undefined) return undefined
  const [current, { ino, ctime }] = await Promise.all([stat(image), stat(file)]).catch(
    (error: unknown) => {
      throw fileError(error, file)
    },
  )
  // The image under a second name: a killed `set` had not put the overlay into its place yet.
  if (current.ino === ino) return undefined
  return { file, header, name, date: ctime }
}

/** The images beside an image that stand on one of the given files. */
export async function imagesOn(image: string, files: readonly string[]): Promise<Image[]> {
  const folder = dirname(image)
  const entries = await readdir(folder, { withFileTypes: true })
  const images = await Promise.all(
    entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map(async ({ name }) => {
        const file = join(folder, name)
        const header = await readHeaderOf(file).catch((error: unknown) => {
          // What cannot be opened stands on nothing, unless it is a state of this image.
          if (stateName(image, name) === undefined && isVmStatesError(error, 'IMAGE_DAMAGED'))
            return
          throw error
        })
        return header === undefined ? undefined : { file, header }
      }),
  )
  return images
    .filter((candidate) => candidate !== undefined)
    .filter((candidate) => files.includes(backingPath(candidate) ?? ''))
}

/** Undefined for what is no qcow2 image, or is gone. */
async function readHeaderOf(file: string): Promise<Qcow2Header | undefined> {
  try {
    return await readQcow2Header(file)
  } catch (error) {
    if (isVmStatesError(error, 'IMAGE_NOT_QCOW2') || isVmStatesError(error, 'IMAGE_MISSING')) {
      return undefined
    }
    throw error
  }
}
