import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { judge } from './limits.js'
import { plotRestores } from './plot.js'
import type { Samples } from './samples.js'
import { GIB } from './sizes.js'
import { restoreTables, spreadText, table, verdictTable } from './tables.js'

const file = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

/**
 * Writes what was measured beside the benchmark, as `live.md` and `live.svg`, where it is to be kept.
 *
 * @returns the former's text
 */
export async function writeReport(
  samples: Samples,
  { rounds, isKept }: { rounds: number; isKept: boolean },
): Promise<string> {
  const others = samples.names.filter((name) => !/^(restore|boot)\//.test(name))
  const rows = others.map((name) => {
    const spread = samples.spread(name)
    return [name.replaceAll('/', ' · '), spreadText(spread), String(spread?.count ?? 0)]
  })
  const text = [
    '# Live states, measured',
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine()}.`,
    `${rounds} rounds, all ways in turn; medians and, in brackets, quartiles, in milliseconds. Read the ratios.`,
    '## What is promised',
    verdictTable(judge(samples)),
    '## Ways to a running machine',
    '![Ways to a running machine](live.svg)',
    restoreTables(samples),
    '## All else',
    table(['what', 'median (quartiles): ms, or MiB of memory, or a number', 'n'], rows),
    '',
  ].join('\n\n')
  if (!isKept) return text
  await writeFile(file('live.md'), text)
  await writeFile(file('live.svg'), plotRestores(samples))
  return text
}

/** The machine and the versions that figures come from. */
function machine(): string {
  const [processor] = cpus()
  const version = (program: string, ...args: string[]) =>
    execFileSync(program, args, { encoding: 'utf8' })
      .split('\n')[0]
      ?.match(/\d+\.\d+(\.\d+)?/)?.[0]
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  const parts = [
    `${cpus().length} × ${processor?.model.trim()}, ${Math.round(totalmem() / GIB)} GiB`,
    `${system}`,
    `QEMU ${version('qemu-system-x86_64', '--version')} under TCG`,
    `libvirt ${version('libvirtd', '--version')}`,
    `Node ${process.version}`,
  ]
  return parts.join(', ')
}
