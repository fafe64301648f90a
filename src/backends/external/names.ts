import { basename } from 'node:path'

/** The file that holds a state of an image: beside it, so that relative backing paths stay right. */
export function stateFile(image: string, name: string): string {
  return `${image}.state.${name}`
}

/** The state that a file beside an image holds, if it does. */
export function stateName(image: string, fileName: string): string | undefined {
  const prefix = `${basename(image)}.state.`
  return fileName.startsWith(prefix) ? fileName.slice(prefix.length) : undefined
}
