import { extname, resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { VmStatesError } from '../../params/errors.js'
import { nearest } from '../../params/nearest.js'
import type { PicturedState } from '../graph/pictured-state.js'
import type { Context, Report } from '../report.js'

/** Draws the states, without a line's end at the end. */
type Draw = (states: readonly PicturedState[], colors: boolean) => string

const FORMATS: Readonly<Record<string, () => Promise<Draw>>> = {
  text: async () => (await import('../graph/text-tree.js')).textTree,
  mermaid: async () => (await import('../graph/mermaid.js')).mermaid,
  dot: async () => (await import('../graph/dot.js')).dot,
  svg: async () => (await import('../graph/svg.js')).svg,
}

/** What the command line says of a picture. */
export interface GraphOptions {
  format?: string
  output?: string
}

/** `states graph`: the states of the configuration, what they stand on, and what is built. */
export async function graph({ format, output }: GraphOptions, context: Context): Promise<Report> {
  const draw = await chooseFormat(format ?? formatOf(output))
  // It ends before optimized code pays: to make that took a quarter of its time on a processor.
  setFlagsFromString('--no-opt')
  context.progress.step('reading the states')
  const { pictureStates } = await import('../defined/picture-states.js')
  const { store, states } = await pictureStates(context)
  const picture = () => draw(states, context.colors && output === undefined)
  if (output === undefined) return { data: { store, states }, text: picture() }
  const file = resolve(output)
  const { writePicture } = await import('../graph/write-picture.js')
  await writePicture(file, `${picture()}\n`)
  return { data: { store, states, file }, text: `${file} shows ${states.length} states` }
}

function chooseFormat(name: string): Promise<Draw> {
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
  if (format !== undefined) return format()
  const names = Object.keys(FORMATS)
  const guess = nearest(name, names)
  throw new VmStatesError('USAGE', `there is no format ${JSON.stringify(name)}`, {
    hint: `${guess === undefined ? '' : `Did you mean ${guess}? `}The formats are ${names.join(', ')}.`,
  })
}

/** What a file's name says of the format. */
function formatOf(output: string | undefined): string {
  const suffix = output === undefined ? '' : extname(output).toLowerCase()
  const formats: Readonly<Record<string, string>> = {
    '.svg': 'svg',
    '.dot': 'dot',
    '.mmd': 'mermaid',
  }
  return formats[suffix] ?? 'text'
}
