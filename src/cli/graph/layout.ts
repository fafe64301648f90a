import { byMachine, type PicturedState } from './pictured-state.js'

/** How large something is drawn, in pixels. */
export interface Size {
  width: number
  height: number
}

/** Where something is drawn, in pixels. */
export interface Box extends Size {
  x: number
  y: number
}

/** Where everything is drawn. */
export interface Layout extends Size {
  /** By the names of the states. */
  boxes: ReadonlyMap<string, Box>
  /** Around the states of each machine. */
  frames: readonly (Box & { machine: string })[]
}

const MARGIN = 12
const PADDING = 14
const HEADING = 30
const ACROSS = 40
const BETWEEN = 10

/**
 * Lays the graph out from left to right: a column for each step from the image, a frame for each
 * machine, one under the other. A state stands beside the middle of what stands on it.
 *
 * @param states - parents before those that stand on them
 * @param measure - how large the box of a state must be
 */
export function layOut(
  states: readonly PicturedState[],
  measure: (state: PicturedState) => Size,
): Layout {
  const sizes = new Map(states.map((state) => [state, measure(state)]))
  const lefts = leftEdges(sizes)
  const boxes = new Map<string, Box>()
  const frames: (Box & { machine: string })[] = []
  let y = MARGIN
  for (const [machine, members] of byMachine(states)) {
    const tops = stack(members, sizes, y + HEADING)
    const placed = members.map((state): Box => {
      const { width, height } = sizes.get(state) as Size
      return { x: lefts.get(state) ?? 0, y: tops.get(state) ?? 0, width, height }
    })
    for (const [index, state] of members.entries()) boxes.set(state.name, placed[index] as Box)
    const x = Math.min(...placed.map((box) => box.x)) - PADDING
    const right = Math.max(...placed.map((box) => box.x + box.width)) + PADDING
    const bottom = Math.max(...placed.map((box) => box.y + box.height)) + PADDING
    frames.push({ machine, x, y, width: right - x, height: bottom - y })
    y = bottom + MARGIN
  }
  const width = Math.max(0, ...frames.map((frame) => frame.x + frame.width)) + MARGIN
  return { width, height: y, boxes, frames }
}

/** The left edge of each state: its column's, of which each is as wide as the widest in it. */
function leftEdges(sizes: ReadonlyMap<PicturedState, Size>): Map<PicturedState, number> {
  const columns = new Map<string, number>()
  const widths: number[] = []
  for (const [{ name, parents }, { width }] of sizes) {
    const column = Math.max(-1, ...parents.map((parent) => columns.get(parent) ?? -1)) + 1
    columns.set(name, column)
    widths[column] = Math.max(widths[column] ?? 0, width)
  }
  const edges = [MARGIN + PADDING]
  for (const [index, width] of widths.entries()) {
    edges.push((edges[index] ?? 0) + width + ACROSS)
  }
  return new Map(
    [...sizes.keys()].map((state) => [state, edges[columns.get(state.name) ?? 0] ?? 0]),
  )
}

/** The top edges of the states of one machine: none overlaps another in the same column. */
function stack(
  members: readonly PicturedState[],
  sizes: ReadonlyMap<PicturedState, Size>,
  top: number,
): Map<PicturedState, number> {
  const tops = new Map<PicturedState, number>()
  const names = new Set(members.map(({ name }) => name))
  const children = new Map<string | undefined, PicturedState[]>()
  for (const state of members) {
    const parent = state.parents.find((name) => names.has(name))
    children.set(parent, [...(children.get(parent) ?? []), state])
  }
  /** @returns the bottom of the state and of all that stands on it */
  function place(state: PicturedState, from: number): number {
    const { height } = sizes.get(state) as Size
    const below = children.get(state.name) ?? []
    let bottom = from
    for (const child of below) bottom = place(child, bottom) + BETWEEN
    const [first, last] = [below[0], below.at(-1)]
    const middle = first && last ? (centre(first) + centre(last)) / 2 : 0
    const own = Math.max(from, middle - height / 2)
    tops.set(state, own)
    return Math.max(bottom - (first ? BETWEEN : 0), own + height)
  }
  const centre = (state: PicturedState) =>
    (tops.get(state) ?? 0) + (sizes.get(state) as Size).height / 2
  let bottom = top
  for (const state of children.get(undefined) ?? []) bottom = place(state, bottom) + BETWEEN
  return tops
}
