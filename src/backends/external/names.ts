import { basename, dirname, join, resolve } from 'node:path'
import type { Image } from '../image/require-images.js'

/** The file that holds a state of an image: beside it, so that relative backing paths stay right. */
export function stateFile(image: string, name: string): string {
  return `${image}.state.${name}`
}

/** The state that a file beside an image holds, if it does. */
export function stateName(image: string, fileName: string): string | undefined {
  const prefix = `${basename(image)}.state.`
  return fileName.startsWith(prefix) ? fileName.slice(prefix.length) : undefined
}

/** Whether a text can be the name of a state, as far as files go. */
export function canBeStateName(name: string): boolean {
  return name !== '' && !name.includes('/') && !name.includes('\0')
}

/** What the names of an image's short-lived files start with; an operation removes those left. */
export function helperPrefix(image: string): string {
  return `.${basename(image)}.states-`
}

/** A short-lived file beside an image. */
export function helperFile(image: string, suffix: string): string {
  return join(dirname(image), `${helperPrefix(image)}${suffix}`)
}

/** The absolute path of an image's backing file. */
export function backingPath({ file, header }: Image): string | undefined {
  return header.backingFile === undefined ? undefined : resolve(dirname(file), header.backingFile)
}
