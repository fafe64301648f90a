import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorCodes } from '../../src/params/error-codes.js'

const root = resolve(import.meta.dirname, '../..')

const cells = [
  ['code', 'exit code', 'means'],
  ...Object.entries(errorCodes)
    .map(([code, { exit, means }]) => [`\`${code}\``, String(exit), means])
    .sort(([one = ''], [other = '']) => (one < other ? -1 : 1)),
]
const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
const line = (row: readonly string[]) =>
  `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`
const [headings = [], ...rows] = cells
const rule = widths.map((width) => '-'.repeat(width))

const page = `# Errors

Every error that this package throws on purpose is a \`VmStatesError\` with a \`code\`, a message of one
line with the path and the value, and mostly a \`hint\`: what to do next. \`isVmStatesError(error, code?)\`
recognises them. The \`states\` command prints them, with \`--json\` as

\`\`\`json
{ "error": { "code": "STATE_MISSING", "message": "…", "hint": "…" } }
\`\`\`

on its standard output, and ends with the exit code of the table: 1 missing or refused by a policy, 2 bad
usage or input, 3 a tool or machine failed. Ctrl-C ends it with 130, once it has put things back.

${[headings, rule, ...rows].map(line).join('\n')}
`

describe('the errors', () => {
  // After a change of the codes: npx vitest run test/package/errors -u
  test('are listed in docs/errors.md', async () => {
    await expect(page).toMatchFileSnapshot(join(root, 'docs/errors.md'))
  })

  test('are each provoked by a test', async () => {
    const files = await readdir(join(root, 'test'), { recursive: true })
    const tests = files.filter((file) => file.endsWith('.test.ts'))
    const texts = await Promise.all(tests.map((file) => readFile(join(root, 'test', file), 'utf8')))
    const text = texts.join('\n')
    const unprovoked = Object.keys(errorCodes).filter((code) => !text.includes(code))
    expect(unprovoked).toEqual([])
  })
})
