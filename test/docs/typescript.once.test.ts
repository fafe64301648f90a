import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeBlocks, readDocument, root } from './documents.js'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vms-docs-'))
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
})

afterAll(() => rm(directory, { recursive: true, force: true }))

/** A block is a module; its first line may be a comment with its path, which others import it by. */
async function writeBlocks(document: string): Promise<void> {
  const folder = join(directory, document.replaceAll('/', '-'))
  const written = new Set<string>()
  for (const [index, code] of codeBlocks(readDocument(document), 'ts').entries()) {
    const path = /^\/\/ (\S+\.ts)\b/.exec(code)?.[1] ?? `block-${index}.ts`
    expect(written, `${document} shows ${path} twice`).not.toContain(path)
    written.add(path)
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), code)
  }
  expect(written.size, `${document} shows no TypeScript`).toBeGreaterThan(0)
}

test('what the documents show as TypeScript compiles', async () => {
  for (const document of ['README.md', 'docs/guide.md', 'docs/reference.md']) {
    await writeBlocks(document)
  }
  const config = { extends: join(root, 'tsconfig.json'), include: ['*.md/**/*.ts'] }
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))

  const compiler = join(root, 'node_modules/.bin/tsc')
  const { exitCode, stdout } = await execa(compiler, ['-p', directory], { reject: false })

  expect(stdout).toBe('')
  expect(exitCode).toBe(0)
})
