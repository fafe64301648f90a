import { cell } from '../output/table.js'
import { type Box, layOut } from './layout.js'
import { type PicturedState, stateNotes } from './pictured-state.js'

/** Fills and edges that can be told apart on a light and on a dark page; their text is dark on both. */
const COLORS = {
  image: ['#eaeef2', '#57606a'],
  disk: ['#ddf4ff', '#0969da'],
  live: ['#dafbe1', '#1a7f37'],
  boot: ['#fff8c5', '#9a6700'],
} as const

const LINE = 15
const PADDING = 10
/** Pixels that a character of the larger and of the smaller font takes at most. */
const NAME_WIDTH = 8
const NOTE_WIDTH = 6.5
const LONGEST = 44

/** The graph as a picture, drawn here so that nothing need be installed. */
export function svg(states: readonly PicturedState[]): string {
  const { width, height, boxes, frames } = layOut(states, measure)
  const edges = states.flatMap(({ name, parents }) =>
    parents.flatMap((parent) => {
      const [from, to] = [boxes.get(parent), boxes.get(name)]
      return from && to ? [edge(from, to, `${parent} ${name}`)] : []
    }),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="The states and what they stand on">`,
    '<g font-family="ui-sans-serif, system-ui, Helvetica, Arial, sans-serif" font-size="11">',
    ...frames.map(({ machine, ...box }) => frame(machine, box)),
    ...edges,
    ...states.map((state) => node(state, boxes.get(state.name) as Box)),
    '</g>',
    '</svg>',
  ].join('\n')
}

function measure(state: PicturedState): { width: number; height: number } {
  const notes = stateNotes(state).map((note) => shorten(note).length * NOTE_WIDTH)
  const text = Math.max(shorten(state.state).length * NAME_WIDTH, ...notes)
  return { width: Math.ceil(text) + 2 * PADDING, height: (notes.length + 1) * LINE + PADDING + 4 }
}

function frame(machine: string, { x, y, width, height }: Box): string {
  const name = shorten(machine)
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="none" stroke="#8c959f" stroke-opacity="0.6"/>`,
    `<text x="${x + PADDING}" y="${y + 20}" font-size="13" font-weight="600" fill="#768390">${xmlText(name)}</text>`,
  ].join('')
}

function edge(from: Box, to: Box, name: string): string {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2]
  const [x2, y2] = [to.x, to.y + to.height / 2]
  const bend = (x2 - x1) / 2
  const path = `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
  return `<path data-edge="${xmlText(name)}" d="${path}" fill="none" stroke="#8c959f" stroke-width="1.5"/>`
}

function node(state: PicturedState, { x, y, width, height }: Box): string {
  const [fill, stroke] = COLORS[state.kind]
  const isThere = state.status === 'built' || state.status === 'image'
  const dashes = isThere ? '' : ' stroke-dasharray="4 3"'
  const notes = stateNotes(state).map(
    (note, index) =>
      `<text x="${x + PADDING}" y="${y + PADDING + (index + 1.75) * LINE}">${xmlText(shorten(note))}</text>`,
  )
  return [
    `<g data-state="${xmlText(state.name)}" data-kind="${state.kind}" fill="#1f2328">`,
    `<title>${[state.name, ...state.tests].map(xmlText).join('\n')}</title>`,
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" stroke="${stroke}"${dashes}/>`,
    `<text x="${x + PADDING}" y="${y + PADDING + 0.6 * LINE}" font-size="13" font-weight="600">${xmlText(shorten(state.state))}</text>`,
    ...notes,
    '</g>',
  ].join('')
}

function shorten(text: string): string {
  const characters = [...text]
  return characters.length <= LONGEST ? text : `${characters.slice(0, LONGEST - 1).join('')}…`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** A text in XML, which has no way to write most control characters and halves of characters. */
export function xmlText(text: string): string {
  return cell(text)
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
    .replace(/[\p{Cs}\ufffe\uffff]/gu, '\ufffd')
}
