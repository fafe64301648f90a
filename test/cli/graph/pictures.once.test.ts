import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dot } from '../../../src/cli/graph/dot.js'
import { layOut } from '../../../src/cli/graph/layout.js'
import { mermaid } from '../../../src/cli/graph/mermaid.js'
import type { PicturedState } from '../../../src/cli/graph/pictured-state.js'
import { svg } from '../../../src/cli/graph/svg.js'
import { textTree } from '../../../src/cli/graph/text-tree.js'
import { cell } from '../../../src/cli/output/table.js'
import { elements, readXml } from './xml.js'

const KINDS = ['image', 'disk', 'live', 'boot'] as const

/** Texts of every kind, with those that mean something in one of the formats. */
const text = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.string({
    unit: fc.constantFrom(...'"\\&<>#;`*_[]{}()|%-.\n\r\u2028end') as never,
    minLength: 1,
  }),
)

/** Graphs whose states stand on any that come before them. */
const graphs = fc
  .array(
    fc.record({
      owner: fc.oneof(fc.constantFrom('a', 'b'), text),
      state: text,
      kind: fc.constantFrom(...KINDS),
      isBuilt: fc.boolean(),
      parents: fc.array(fc.nat(), { maxLength: 3 }),
      tests: fc.array(text, { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((drafts) => {
    const states: PicturedState[] = []
    for (const [index, { owner, state, kind, isBuilt, parents, tests }] of drafts.entries()) {
      const on = parents.flatMap((parent) => states[parent % Math.max(1, index)]?.name ?? [])
      states.push({
        name: `${owner}/${state}#${index}`,
        owner,
        state,
        kind,
        parents: [...new Set(on)],
        tests,
        ...(isBuilt
          ? { status: 'built', size: 1024, seconds: 1.5, builtAt: new Date(2026, 1, 2) }
          : { status: 'not built' }),
      })
    }
    return states
  })

const edgeCount = (states: readonly PicturedState[]) =>
  states.reduce((count, { parents }) => count + parents.length, 0)

/** What the terminal and all formats show of a name that has control characters. */
const shown = (name: string) => cell(name).replace(/[\p{Cs}\ufffe\uffff]/gu, '\ufffd')

describe('a graph of any names', () => {
  test('as SVG is well-formed, and has each state and edge by its name', () => {
    fc.assert(
      fc.property(graphs, (states) => {
        const all = elements(readXml(svg(states)))
        const names = all.flatMap(({ attributes }) => attributes['data-state'] ?? [])
        expect(names).toEqual(states.map(({ name }) => shown(name)))
        const edges = all.flatMap(({ attributes }) => attributes['data-edge'] ?? [])
        expect(edges).toHaveLength(edgeCount(states))
      }),
      { numRuns: 200 },
    )
  })

  test('as dot has labels of which none ends early', () => {
    fc.assert(
      fc.property(graphs, (states) => {
        const lines = dot(states).split('\n')
        const nodes = lines.flatMap((line) => {
          const node =
            /^ {4}s\d+ \[label="((?:[^"\\]|\\["\\n])*)" style="[a-z,]+" fillcolor="#\w{6}"\]$/
          return node.exec(line)?.[1] ?? []
        })
        const labels = nodes.map((label) => label.split(/(?<!\\)(?:\\\\)*\\n/)[0])
        expect(labels).toHaveLength(states.length)
        const edges = lines.filter((line) => /^ {2}s\d+ -> s\d+$/.test(line))
        expect(edges).toHaveLength(edgeCount(states))
        const others = lines.filter((line) => /^ {4}s|^ {2}s\d/.test(line))
        expect(others).toHaveLength(nodes.length + edges.length)
      }),
      { numRuns: 200 },
    )
  })

  test('as Mermaid has labels without anything that Mermaid might read', () => {
    fc.assert(
      fc.property(graphs, (states) => {
        const lines = mermaid(states).split('\n')
        const nodes = lines.flatMap((line) => {
          const node =
            /^ {4}s\d+\["((?:[\p{L}\p{N} ,/:]|#\d+;|<br\/>)*)"\]:::(?:image|disk|live|boot)$/u
          return node.exec(line)?.[1] ?? []
        })
        const names = nodes.map((label) => decode(label.split('<br/>')[0] ?? ''))
        expect(names.sort()).toEqual(states.map(({ state }) => cell(state)).sort())
        const edges = lines.filter((line) => /^ {2}s\d+ --> s\d+$/.test(line))
        expect(edges).toHaveLength(edgeCount(states))
      }),
      { numRuns: 200 },
    )
  })

  test('as text has a row for each state', () => {
    fc.assert(
      fc.property(graphs, (states) => {
        expect(textTree(states, false).split('\n')).toHaveLength(states.length + 1)
      }),
      { numRuns: 200 },
    )
  })
})

function decode(label: string): string {
  return label.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
}

describe('a layout', () => {
  test('has no boxes that touch, and every state right of what it stands on', () => {
    const size = fc.record({
      width: fc.integer({ min: 1, max: 300 }),
      height: fc.integer({ min: 1, max: 90 }),
    })
    fc.assert(
      fc.property(graphs, fc.infiniteStream(size), (states, sizes) => {
        const { boxes, frames, width, height } = layOut(states, () => sizes.next().value)
        const all = [...boxes.values()]
        for (const [index, a] of all.entries()) {
          for (const b of all.slice(index + 1)) {
            const apart =
              a.x + a.width < b.x ||
              b.x + b.width < a.x ||
              a.y + a.height < b.y ||
              b.y + b.height < a.y
            expect(apart, JSON.stringify([a, b])).toBe(true)
          }
          expect(a.x).toBeGreaterThanOrEqual(0)
        }
        for (const { name, parents } of states) {
          for (const parent of parents) {
            const from = boxes.get(parent)
            expect(boxes.get(name)?.x).toBeGreaterThan(Number(from?.x) + Number(from?.width))
          }
        }
        for (const frame of frames) {
          expect(frame.x).toBeGreaterThanOrEqual(0)
          expect(frame.x + frame.width).toBeLessThan(width)
          expect(frame.y + frame.height).toBeLessThanOrEqual(height)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('the text of a graph', () => {
  test('is a tree of each owner, and one of what stands on several states', () => {
    const state = (name: string, kind: PicturedState['kind'], ...parents: string[]) => {
      const [owner = '', state = ''] = name.split('/')
      return { name, owner, state, kind, parents, status: 'not built', tests: [] } as const
    }
    const states: PicturedState[] = [
      state('a/root', 'image'),
      state('a/one', 'disk', 'a/root'),
      { ...state('a/two', 'live', 'a/one'), tests: ['a.test.ts', 'b.test.ts', 'c.test.ts'] },
      state('a/three', 'disk', 'a/one'),
      state('a/last', 'disk', 'a/root'),
      state('b/root', 'image'),
      state('lab/joined', 'live', 'a/two', 'b/root'),
      state('lab/further', 'live', 'lab/joined'),
    ]
    const rows = textTree(states, false).split('\n')
    expect(rows.map((row) => row.split(/ {2,}(?=image|disk|live|KIND)/)[0])).toEqual([
      'STATE',
      'a/root',
      '├─ one',
      '│  ├─ two',
      '│  └─ three',
      '└─ last',
      'b/root',
      'lab/joined (on a/two, b/root)',
      '└─ further',
    ])
    expect(rows[3]).toMatch(/ a\.test\.ts, b\.test\.ts and 1 more$/)
  })
})
