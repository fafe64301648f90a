import { CONFIGURATIONS, titleOf } from './configuration.js'
import type { Samples } from './samples.js'
import { figure, MOMENTS, sampleName, WAYS } from './tables.js'

const WIDTH = 860
const LEFT = 190
const RIGHT = 30
const LINE = 20
const HEAD = 34
const TOP = 64

const STYLE = `text { font: 12px sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: bold }
.panel { font-weight: bold }
.grid { stroke: #8c959f; stroke-opacity: .35 }
.spread { stroke-width: 2; stroke-opacity: .6 }
.cont { fill: #0969da; stroke: #0969da }
.agent { fill: #bc4c00; stroke: #bc4c00 }
.right { fill: #1a7f37; stroke: #1a7f37 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .cont { fill: #58a6ff; stroke: #58a6ff }
  .agent { fill: #f0883e; stroke: #f0883e }
  .right { fill: #3fb950; stroke: #3fb950 }
}`

const LABELS = {
  cont: 'until cont',
  agent: 'until the agent answers',
  right: 'first line, all right',
}

/** All ways in all configurations that were measured, on one logarithmic scale, as SVG. */
export function plotRestores(samples: Samples): string {
  const panels = CONFIGURATIONS.map((configuration) => {
    const title = titleOf(configuration)
    const ways = WAYS.filter(({ name }) =>
      MOMENTS.some((moment) => samples.spread(sampleName(title, name, moment))),
    )
    return { title, ways }
  }).filter(({ ways }) => ways.length > 0)
  const spreads = panels.flatMap(({ title, ways }) =>
    ways.flatMap(({ name }) =>
      MOMENTS.flatMap((moment) => samples.spread(sampleName(title, name, moment)) ?? []),
    ),
  )
  const from = Math.floor(Math.log10(Math.min(...spreads.map(({ lower }) => lower))))
  const to = Math.ceil(Math.log10(Math.max(...spreads.map(({ upper }) => upper))))
  const x = (value: number) =>
    LEFT + ((Math.log10(value) - from) / (to - from)) * (WIDTH - LEFT - RIGHT)
  const parts: string[] = []
  let y = TOP
  for (const { title, ways } of panels) {
    parts.push(text(14, y + 14, `RAM ${title} in use`, 'panel'))
    y += HEAD
    for (const way of ways) {
      parts.push(text(24, y + 4, way.title.replaceAll('`', '')))
      for (const moment of MOMENTS) {
        const spread = samples.spread(sampleName(title, way.name, moment))
        if (spread === undefined) continue
        const [left, right, middle] = [spread.lower, spread.upper, spread.median].map(x)
        const label = `${way.title.replaceAll('`', '')}, ${LABELS[moment]}: ${figure(spread.median)} ms`
        parts.push(
          `<line class="spread ${moment}" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/>`,
          `<circle class="${moment}" cx="${middle}" cy="${y}" r="4.5"><title>${label}</title></circle>`,
        )
      }
      y += LINE
    }
  }
  const bottom = y
  const grid = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)).flatMap(
    (value) => [
      `<line class="grid" x1="${x(value)}" x2="${x(value)}" y1="${TOP}" y2="${bottom}"/>`,
      text(x(value), bottom + 18, `${value} ms`, '', 'middle'),
    ],
  )
  const legend = MOMENTS.flatMap((moment, index) => [
    `<circle class="${moment}" cx="${LEFT + index * 190}" cy="44" r="4.5"/>`,
    text(LEFT + 10 + index * 190, 48, LABELS[moment]),
  ])
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 32}" width="${WIDTH}" height="${bottom + 32}">`,
    '<title>Ways to a running machine</title>',
    `<style>${STYLE}</style>`,
    text(14, 24, 'Ways to a running machine: medians and quartiles, logarithmic', 'title'),
    ...legend,
    ...grid,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

function text(x: number, y: number, content: string, name = '', anchor = 'start'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x}" y="${y}" class="${name}" text-anchor="${anchor}">${escaped}</text>`
}
